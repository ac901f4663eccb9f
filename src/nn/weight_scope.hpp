// A place in a checkpoint's tree of names: `w / "down_blocks" / 0 / "norm1"`. Remembers which
// tensors were used, so that what a network did not read can be reported by name.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nn/value.hpp"
#include "weights/weight_source.hpp"

namespace limner::nn {

// How matrices and kernels are stored in the compiled graph. Vectors, norms and embedding tables
// stay as the file has them.
enum class WeightFormat {
  Auto,  // as the file has them
  F16,
  Bf16,
  Int8,  // matrices only: symmetric, one scale per output channel
};

// Whether numbers that no arithmetic can go on with are looked for: once is enough for a source.
enum class NumberCheck { Yes, No };

class WeightScope {
 public:
  WeightScope(weights::WeightSource& source, WeightFormat format = WeightFormat::Auto,
              NumberCheck check = NumberCheck::Yes);

  WeightScope operator/(std::string_view name) const;
  WeightScope operator/(std::size_t index) const { return *this / std::to_string(index); }

  // Is there a tensor of this name, or any below it?
  bool has(std::string_view name) const;
  // The tensor `<scope>.<name>`. Throws GraphError naming it when it is missing, NumbersError when
  // it holds NaN, infinities or numbers near them.
  const weights::TensorView& get(std::string_view name) const;
  // Null when missing.
  const weights::TensorView* find(std::string_view name) const;

  const std::string& path() const { return path_; }
  WeightFormat format() const { return shared_->format; }
  // Names in the source that nothing has read.
  std::vector<std::string> unused() const;

 private:
  struct Shared {
    weights::WeightSource& source;
    WeightFormat format;
    NumberCheck check;
    std::set<std::string, std::less<>> names;
    std::set<std::string, std::less<>> used;
  };
  WeightScope(std::shared_ptr<Shared> shared, std::string path);
  std::string full_name(std::string_view name) const;

  std::shared_ptr<Shared> shared_;  // shared by all scopes of one tree
  std::string path_;
};

}  // namespace limner::nn
