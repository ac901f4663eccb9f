// torch's CPU generator: the same seed gives the same numbers as
// torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed)) in float32.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>

namespace limner::schedulers {

class TorchGenerator {
 public:
  // The Mersenne twister, seeded as torch does below 2^32. Of larger seeds torch drops the upper
  // bits, so that two seeds would paint one picture; here all 64 bits count (std::seed_seq).
  explicit TorchGenerator(std::uint64_t seed);

  // torch.randn of out.size() numbers: the block-wise fill for 16 and more, the scalar path below.
  // Within 3e-7 of torch, which takes logarithm and sine in float32 of its own.
  void randn(std::span<float> out);

 private:
  void fill_blocks(std::span<float> out);
  double next_uniform();  // 53 bits
  double next_normal();   // the scalar path, which keeps the second number of a pair

  std::mt19937 engine_;
  std::optional<double> spare_normal_;
};

}  // namespace limner::schedulers
