#include "diffusion/tokenizers/precompiled_charsmap.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "diffusion/tokenizers/unicode.hpp"

namespace limner::tokenizers {
namespace {

constexpr std::size_t kGraphemeBytesMax = 5;

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<std::uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}

// A unit of the Darts double array: label, offset to its children, and whether a value hangs there.
bool has_leaf(std::uint32_t unit) {
  return (unit >> 8) & 1u;
}
std::uint32_t value(std::uint32_t unit) {
  return unit & 0x7FFFFFFFu;
}
std::uint32_t label(std::uint32_t unit) {
  return unit & 0x800000FFu;
}
std::uint32_t offset(std::uint32_t unit) {
  return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

}  // namespace

Result<PrecompiledCharsmap> PrecompiledCharsmap::parse(std::string_view blob) {
  PrecompiledCharsmap map;
  if (blob.empty()) return map;
  const std::size_t trie_bytes = blob.size() >= 4 ? read_u32(blob, 0) : 0;
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > blob.size() - 4) {
    return invalid_value(
        "", fmt::format("charsmap: a trie of {} bytes in {}", trie_bytes, blob.size()));
  }
  map.units_.resize(trie_bytes / 4);
  for (std::size_t i = 0; i < map.units_.size(); ++i) map.units_[i] = read_u32(blob, 4 + 4 * i);
  map.replacements_ = blob.substr(4 + trie_bytes);
  return map;
}

std::string PrecompiledCharsmap::normalize(std::string_view text) const {
  const std::u32string characters = decode_utf8(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t start = 0; start < characters.size();) {
    const std::size_t end = grapheme_end(characters, start);
    const std::string grapheme = encode_utf8({characters.data() + start, end - start});
    if (grapheme.size() <= kGraphemeBytesMax) {
      if (const auto replacement = find(grapheme)) {
        out += *replacement;
        start = end;
        continue;
      }
    }
    for (; start < end; ++start) {
      std::string character;
      append_utf8(characters[start], character);
      out += find(character).value_or(character);
    }
  }
  return out;
}

std::optional<std::string_view> PrecompiledCharsmap::find(std::string_view chunk) const {
  if (units_.empty()) return std::nullopt;
  std::size_t node = offset(units_[0]);
  for (const char c : chunk) {
    const auto byte = static_cast<std::uint8_t>(c);
    node ^= byte;
    if (byte == 0 || node >= units_.size() || label(units_[node]) != byte) return std::nullopt;
    const std::uint32_t unit = units_[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size() || value(units_[node]) >= replacements_.size()) return std::nullopt;
    const std::size_t begin = value(units_[node]);
    const std::size_t end = std::min(replacements_.find('\0', begin), replacements_.size());
    return std::string_view(replacements_).substr(begin, end - begin);
  }
  return std::nullopt;
}

}  // namespace limner::tokenizers
