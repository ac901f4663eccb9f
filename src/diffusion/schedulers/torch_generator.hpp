// torch's CPU generator: the same seed gives the same numbers as
// torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed)) in float32.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace limner::schedulers {

class TorchGenerator {
 public:
  explicit TorchGenerator(std::uint64_t seed);

  // torch.randn of out.size() numbers: the vectorised fill for 16 and more, the scalar path below.
  void randn(std::span<float> out);

 private:
  std::uint32_t next_u32();
  double next_normal();  // the scalar path, which keeps the second number of a pair
  void refill();

  std::array<std::uint32_t, 624> state_{};
  int next_index_ = 624;
  std::optional<double> spare_normal_;
};

}  // namespace limner::schedulers
