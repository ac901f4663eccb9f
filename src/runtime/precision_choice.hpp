// What `auto` means: bf16 where it is clearly faster on this processor, else f32. Measured once for
// a kind of model, and kept beside the compiled graphs.
#pragma once

#include <compare>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/guarded.hpp"
#include "base/result.hpp"
#include "runtime/precision.hpp"

namespace limner::runtime {

// What a model's arithmetic is measured at: a 3x3 convolution of this many channels and as large a
// product, over a square of this many positions.
struct ProbeSizes {
  int channels = 320;
  int side = 64;
  friend auto operator<=>(const ProbeSizes&, const ProbeSizes&) = default;
};

// As near to `sizes` as a measurement of about half a second on two cores allows.
ProbeSizes bounded(ProbeSizes sizes);

struct PrecisionTimes {
  double f32_seconds = 0;
  double bf16_seconds = 0;
};

// f32 when they are close: it gives the reference's pictures.
Precision faster(const PrecisionTimes& times);

class PrecisionChoice {
 public:
  using Measure = std::function<Result<PrecisionTimes>(const ProbeSizes&)>;

  // `machine` names all that times depend on: processor, library's version, threads. `measure` is
  // empty where the device has no bf16; `dir` is empty where nothing is kept.
  PrecisionChoice(std::filesystem::path dir, std::string machine, Measure measure);

  // Any thread; measures at most once for each size. f32 when measuring fails.
  Precision choose(const ProbeSizes& sizes);

 private:
  Precision choose_anew(const ProbeSizes& sizes) const;
  std::filesystem::path file_of(const ProbeSizes& sizes) const;

  const std::filesystem::path dir_;
  const std::string machine_;
  const Measure measure_;
  Guarded<std::map<ProbeSizes, Precision>> known_;
};

}  // namespace limner::runtime
