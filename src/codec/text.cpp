#include "codec/text.hpp"

#include <algorithm>
#include <optional>

#include "base/utf8.hpp"

namespace limner::codec {
namespace {

constexpr char32_t kReplacement = 0xfffd;

void append_utf8(char32_t c, std::string& out) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

bool is_surrogate(char32_t c) {
  return c >= 0xd800 && c < 0xe000;
}

// The character at `position`, which moves on; empty at a broken sequence, `position` then moves
// by one byte.
std::optional<char32_t> next_utf8(std::string_view text, std::size_t& position) {
  const auto size = utf8_sequence_size(text.substr(position));
  if (size == 0) {
    ++position;
    return std::nullopt;
  }
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[position + i]));
  };
  char32_t c = size == 1 ? byte(0) : byte(0) & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) c = c << 6 | (byte(i) & 0x3f);
  position += size;
  return c;
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
    append_utf8(is_surrogate(c) ? kReplacement : c, out);
  }
  return out;
}

void append_utf16_be(std::string_view utf8, std::vector<std::uint8_t>& out) {
  const auto put = [&](char32_t unit) {
    out.push_back(static_cast<std::uint8_t>(unit >> 8));
    out.push_back(static_cast<std::uint8_t>(unit));
  };
  for (std::size_t i = 0; i < utf8.size();) {
    const char32_t c = next_utf8(utf8, i).value_or(kReplacement);
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
