#include "base/base64.hpp"

#include <array>

#include <fmt/format.h>

namespace limner {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kInvalid = 0xff;
constexpr std::uint8_t kSpace = 0xfe;

constexpr std::array<std::uint8_t, 256> make_decode_table() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kInvalid);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  table[static_cast<unsigned char>('-')] = 62;
  table[static_cast<unsigned char>('_')] = 63;
  for (const char space : {' ', '\t', '\r', '\n'})
    table[static_cast<unsigned char>(space)] = kSpace;
  return table;
}

constexpr auto kDecodeTable = make_decode_table();

}  // namespace

void append_base64(std::string& text, std::span<const std::uint8_t> bytes) {
  std::size_t out = text.size();
  text.resize(out + base64_size(bytes.size()), '=');
  std::size_t in = 0;
  for (; in + 3 <= bytes.size(); in += 3) {
    const std::uint32_t group = bytes[in] << 16 | bytes[in + 1] << 8 | bytes[in + 2];
    text[out++] = kAlphabet[group >> 18];
    text[out++] = kAlphabet[group >> 12 & 63];
    text[out++] = kAlphabet[group >> 6 & 63];
    text[out++] = kAlphabet[group & 63];
  }
  const std::size_t rest = bytes.size() - in;
  if (rest > 0) {
    const std::uint32_t group = bytes[in] << 16 | (rest == 2 ? bytes[in + 1] << 8 : 0);
    text[out++] = kAlphabet[group >> 18];
    text[out++] = kAlphabet[group >> 12 & 63];
    if (rest == 2) text[out] = kAlphabet[group >> 6 & 63];
  }
}

std::string base64_encode(std::span<const std::uint8_t> bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

Result<std::vector<std::uint8_t>> base64_decode(std::string_view text) {
  const auto bad = [](std::size_t position, std::string_view what) {
    return invalid_value("", fmt::format("not base64: {} at character {}", what, position),
                         "invalid_base64");
  };
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t group = 0;
  int digit_count = 0;  // of the current group
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '=') break;
    const std::uint8_t digit = kDecodeTable[static_cast<unsigned char>(c)];
    if (digit == kSpace) continue;
    if (digit == kInvalid) return bad(i, "an unexpected character");
    group = group << 6 | digit;
    if (++digit_count == 4) {
      bytes.push_back(static_cast<std::uint8_t>(group >> 16));
      bytes.push_back(static_cast<std::uint8_t>(group >> 8));
      bytes.push_back(static_cast<std::uint8_t>(group));
      group = 0;
      digit_count = 0;
    }
  }
  int padding_count = 0;
  for (; i < text.size(); ++i) {
    if (kDecodeTable[static_cast<unsigned char>(text[i])] == kSpace) continue;
    if (text[i] != '=' || ++padding_count > 2) return bad(i, "text after the padding");
  }
  if (digit_count == 1) return bad(text.size(), "an incomplete group");
  if (padding_count > 0 && digit_count + padding_count != 4) {
    return bad(text.size(), "wrong padding");
  }
  if (digit_count == 2) {
    bytes.push_back(static_cast<std::uint8_t>(group >> 4));
  } else if (digit_count == 3) {
    bytes.push_back(static_cast<std::uint8_t>(group >> 10));
    bytes.push_back(static_cast<std::uint8_t>(group >> 2));
  }
  return bytes;
}

}  // namespace limner
