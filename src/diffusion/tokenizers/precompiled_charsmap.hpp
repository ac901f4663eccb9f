// SentencePiece's table of characters to replace (nmt_nfkc and the like), as a model carries it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace limner::tokenizers {

class PrecompiledCharsmap {
 public:
  // Replaces nothing.
  PrecompiledCharsmap() = default;
  // `blob`: the size of a double-array trie in bytes, its units (both 32 bits, little endian), then
  // the replacements, each ended by a zero byte. An empty blob replaces nothing.
  static Result<PrecompiledCharsmap> parse(std::string_view blob);

  // Replaces whole graphemes of up to five bytes where the table begins with them, else single
  // characters, as the reference does.
  std::string normalize(std::string_view text) const;

 private:
  // The replacement of the shortest entry that `chunk` begins with.
  std::optional<std::string_view> find(std::string_view chunk) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace limner::tokenizers
