#include "codec/text.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace limner::codec {
namespace {

bool is_surrogate(char32_t c) {
  return c >= 0xd800 && c < 0xe000;
}

}  // namespace

std::string utf16_to_utf8(Bytes bytes, ByteOrder order) {
  std::string out;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    char32_t c = *read_u16(bytes, i, order);
    if (c == 0) break;
    const bool leads = c >= 0xd800 && c < 0xdc00;
    const char32_t second = leads ? read_u16(bytes, i + 2, order).value_or(0) : 0;
    if (second >= 0xdc00 && second < 0xe000) {
      c = 0x10000 + ((c - 0xd800) << 10) + (second - 0xdc00);
      i += 2;
    }
    append_utf8(is_surrogate(c) ? kReplacementCharacter : c, out);
  }
  return out;
}

void append_utf16_be(std::string_view utf8, std::vector<std::uint8_t>& out) {
  const auto put = [&](char32_t unit) {
    out.push_back(static_cast<std::uint8_t>(unit >> 8));
    out.push_back(static_cast<std::uint8_t>(unit));
  };
  while (!utf8.empty()) {
    const CodePoint first = decode_code_point(utf8);
    utf8.remove_prefix(first.size_bytes);
    const char32_t c = first.value;
    if (c < 0x10000) {
      put(c);
    } else {
      put(0xd800 + ((c - 0x10000) >> 10));
      put(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
}

std::string latin1_to_utf8(std::string_view latin1) {
  std::string out;
  out.reserve(latin1.size());
  for (const char c : latin1) append_utf8(static_cast<unsigned char>(c), out);
  return out;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string to_valid_utf8(std::string text) {
  return is_valid_utf8(text) ? std::move(text) : latin1_to_utf8(text);
}

}  // namespace limner::codec
