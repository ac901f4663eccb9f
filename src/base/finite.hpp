// Numbers that arithmetic can go on with: finite, and small enough that their square fits float32.
// A larger one makes the next norm's variance infinite, which turns what it divides into zeros: a
// picture without a word of what went wrong.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace limner {

// Bits of 2^64 in float32; magnitudes are ordered as their bits, infinities and NaN come last.
inline constexpr std::uint32_t kUnusableFloatBits = 0x5f800000u;

inline bool is_usable(float value) {
  return (std::bit_cast<std::uint32_t>(value) & 0x7fffffffu) < kUnusableFloatBits;
}

// Without branches, so that it costs no more than reading.
inline bool are_usable(std::span<const float> values) {
  bool has_unusable = false;
  for (const float value : values) has_unusable |= !is_usable(value);
  return !has_unusable;
}

}  // namespace limner
