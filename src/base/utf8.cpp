#include "base/utf8.hpp"

#include <cstdint>

namespace limner {
namespace {

bool is_continuation(char byte) {
  return (static_cast<std::uint8_t>(byte) & 0xC0U) == 0x80U;
}

// Bytes that a sequence beginning with `lead` has, 0 when none begins so; `second_min` and
// `second_max` bound the second byte, which is what keeps overlong forms and surrogates out.
std::size_t sequence_size(std::uint8_t lead, std::uint8_t& second_min, std::uint8_t& second_max) {
  second_min = 0x80;
  second_max = 0xBF;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0) second_min = 0xA0;
    if (lead == 0xED) second_max = 0x9F;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0) second_min = 0x90;
    if (lead == 0xF4) second_max = 0x8F;
    return 4;
  }
  return 0;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    std::uint8_t second_min = 0;
    std::uint8_t second_max = 0;
    const auto size = sequence_size(static_cast<std::uint8_t>(text[0]), second_min, second_max);
    if (size == 0 || size > text.size()) return false;
    if (size > 1) {
      const auto second = static_cast<std::uint8_t>(text[1]);
      if (second < second_min || second > second_max) return false;
    }
    for (std::size_t i = 2; i < size; ++i) {
      if (!is_continuation(text[i])) return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += is_continuation(byte) ? 0 : 1;
  return count;
}

std::string_view first_code_points(std::string_view text, std::size_t count) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_continuation(text[i])) continue;
    if (count == 0) return text.substr(0, i);
    --count;
  }
  return text;
}

}  // namespace limner
