// What every tokenizer gives back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace limner::tokenizers {

// 64 bits, as exported graphs take them.
using TokenId = std::int64_t;

// One row for a text encoder, both of the length that was asked for.
struct PaddedIds {
  std::vector<TokenId> ids;
  std::vector<TokenId>
      attention_mask;  // 1 for a token of the text or a mark around it, 0 for padding
};

// Set around the ids of a text, and after them up to the wanted length.
struct Frame {
  std::vector<TokenId> before;
  std::vector<TokenId> after;
  TokenId pad = 0;

  std::size_t marks() const { return before.size() + after.size(); }
};

// A text of `count` tokens where there is room for fewer.
Error prompt_too_long(std::size_t count, std::size_t room);

// The frame around `ids`, padded to `max_length`. Too many ids is an InvalidArgument error that
// says by how many: `prompt: 91 tokens, this model reads at most 75 (16 too many)`.
Result<PaddedIds> pad_ids(const std::vector<TokenId>& ids, const Frame& frame,
                          std::size_t max_length);

// The same, with the ids that do not fit cut off; only where the caller was told.
PaddedIds pad_ids_truncated(const std::vector<TokenId>& ids, const Frame& frame,
                            std::size_t max_length);

}  // namespace limner::tokenizers
