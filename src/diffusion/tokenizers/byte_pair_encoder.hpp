// Byte-level byte-pair encoding of one word: GPT-2's, and CLIP's with `</w>` at the end of each.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "diffusion/tokenizers/token_ids.hpp"
#include "diffusion/tokenizers/vocabulary.hpp"

namespace limner::tokenizers {

class BytePairEncoder {
 public:
  // Two tokens that become one; earlier pairs go first.
  using Merge = std::pair<std::string_view, std::string_view>;

  struct Options {
    std::string_view end_of_word;  // that the last token of each word ends in; may be empty
    std::string_view unknown;      // what bytes that the vocabulary lacks become; empty: an error
  };
  // A merge of or into tokens that the vocabulary lacks is an error.
  static Result<BytePairEncoder> create(const Vocabulary& vocabulary,
                                        const std::vector<Merge>& merges, const Options& options);

  // Appends the ids of `word`, UTF-8 and not empty. In time n log n.
  void encode(std::string_view word, std::vector<TokenId>& ids) const;

 private:
  struct Merged {
    std::uint32_t rank;
    std::uint32_t id;
  };
  // Word and heap of one call; a position's `next` is -1 at the end.
  struct Symbol {
    std::uint32_t id;
    std::int32_t previous;
    std::int32_t next;
    bool is_gone = false;
  };

  const Merged* find_merge(std::uint32_t left, std::uint32_t right) const;
  void merge_all(std::vector<Symbol>& symbols) const;

  std::array<std::uint32_t, 256> byte_ids_{};
  std::array<std::uint32_t, 256> last_byte_ids_{};
  std::unordered_map<std::uint64_t, Merged> merges_;
};

}  // namespace limner::tokenizers
