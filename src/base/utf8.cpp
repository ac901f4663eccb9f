#include "base/utf8.hpp"

#include <cstdint>

#include <utf8proc.h>

#include "base/check.hpp"

namespace limner {
namespace {

bool is_continuation(char byte) {
  return (static_cast<std::uint8_t>(byte) & 0xC0U) == 0x80U;
}

// Bytes that a sequence beginning with `lead` has, 0 when none begins so.
std::size_t sequence_size(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// The second byte has a narrower range where an overlong form, a surrogate or what is above
// U+10FFFF would begin.
bool can_be_second(std::uint8_t lead, std::uint8_t byte) {
  if (lead == 0xE0) return byte >= 0xA0 && byte <= 0xBF;
  if (lead == 0xED) return byte >= 0x80 && byte <= 0x9F;
  if (lead == 0xF0) return byte >= 0x90 && byte <= 0xBF;
  if (lead == 0xF4) return byte >= 0x80 && byte <= 0x8F;
  return byte >= 0x80 && byte <= 0xBF;
}

}  // namespace

CodePoint decode_code_point(std::string_view text) {
  LIMNER_CHECK(!text.empty());
  const auto lead = static_cast<std::uint8_t>(text[0]);
  const std::size_t size = sequence_size(lead);
  if (size == 0) return {};
  char32_t value = size == 1 ? lead : lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const bool follows = i < text.size() && is_continuation(text[i]) &&
                         (i > 1 || can_be_second(lead, static_cast<std::uint8_t>(text[i])));
    if (!follows) return {.size_bytes = i};
    value = (value << 6) | (static_cast<std::uint8_t>(text[i]) & 0x3FU);
  }
  return {.value = value, .size_bytes = size, .is_valid = true};
}

void append_utf8(char32_t code_point, std::string& out) {
  std::uint8_t bytes[4];
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes);
  out.append(bytes, bytes + size);
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint first = decode_code_point(text);
    if (!first.is_valid) return false;
    text.remove_prefix(first.size_bytes);
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const CodePoint first = decode_code_point(text);
    append_utf8(first.value, valid);
    text.remove_prefix(first.size_bytes);
  }
  return valid;
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
