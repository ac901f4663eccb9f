#include "diffusion/schedulers/torch_generator.hpp"

#include <cmath>
#include <numbers>

namespace limner::schedulers {
namespace {

// Shorter outputs take the scalar path, longer ones are filled in blocks of this size.
constexpr std::size_t kBlockSize = 16;

// 16 uniform numbers in [0, 1) → 16 normal ones: number j and j + 8 are a Box-Muller pair.
void box_muller(std::span<float, kBlockSize> block) {
  constexpr std::size_t kHalf = kBlockSize / 2;
  constexpr float kTwoPi = 2.0F * std::numbers::pi_v<float>;
  for (std::size_t j = 0; j < kHalf; ++j) {
    const double one_minus_u = 1.0F - block[j];  // in (0, 1]: its logarithm is finite
    const float radius = std::sqrt(-2.0F * static_cast<float>(std::log(one_minus_u)));
    const double theta = kTwoPi * block[j + kHalf];
    block[j] = radius * static_cast<float>(std::cos(theta));
    block[j + kHalf] = radius * static_cast<float>(std::sin(theta));
  }
}

std::mt19937 seeded(std::uint64_t seed) {
  const auto low = static_cast<std::uint32_t>(seed);
  const auto high = static_cast<std::uint32_t>(seed >> 32U);
  if (high == 0) return std::mt19937(low);
  std::seed_seq both{low, high};
  return std::mt19937(both);
}

}  // namespace

TorchGenerator::TorchGenerator(std::uint64_t seed) : engine_(seeded(seed)) {}

void TorchGenerator::randn(std::span<float> out) {
  if (out.size() >= kBlockSize) {
    fill_blocks(out);
  } else {
    for (float& value : out) value = static_cast<float>(next_normal());
  }
}

void TorchGenerator::fill_blocks(std::span<float> out) {
  const auto uniform = [this] {
    return static_cast<float>(engine_() & ((1U << 24U) - 1)) * 0x1p-24F;
  };
  for (float& value : out) value = uniform();
  for (std::size_t start = 0; start + kBlockSize <= out.size(); start += kBlockSize) {
    box_muller(out.subspan(start).first<kBlockSize>());
  }
  if (out.size() % kBlockSize == 0) return;
  // The last 16 are drawn again, over numbers that were already made.
  const auto tail = out.last<kBlockSize>();
  for (float& value : tail) value = uniform();
  box_muller(tail);
}

double TorchGenerator::next_uniform() {
  const std::uint64_t high = engine_();
  const std::uint64_t low = engine_();
  const std::uint64_t bits = (high << 32U | low) & ((std::uint64_t{1} << 53U) - 1);
  return static_cast<double>(bits) * 0x1p-53;
}

double TorchGenerator::next_normal() {
  if (spare_normal_) {
    const double value = *spare_normal_;
    spare_normal_.reset();
    return value;
  }
  const double theta = 2.0 * std::numbers::pi * next_uniform();
  const double radius = std::sqrt(-2.0 * std::log1p(-next_uniform()));
  spare_normal_ = radius * std::sin(theta);
  return radius * std::cos(theta);
}

}  // namespace limner::schedulers
