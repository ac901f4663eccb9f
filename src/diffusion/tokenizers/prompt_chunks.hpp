// A prompt of any length as rows that a text encoder of a fixed window reads one by one.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "diffusion/tokenizers/prompt_weights.hpp"
#include "diffusion/tokenizers/token_ids.hpp"

namespace limner::tokenizers {

// One window: marks, up to 75 tokens, padding. All three of the window's length.
struct PromptChunk {
  std::vector<TokenId> ids;
  std::vector<TokenId> attention_mask;
  std::vector<float> weights;  // 1 for marks and padding
};

struct ChunkRules {
  std::size_t window = 77;  // tokens of a chunk with its marks
  std::size_t chunks_max = 1;
  bool truncates = false;  // what is too long is cut, else it is an error
};

using EncodeText = std::function<std::vector<TokenId>(std::string_view)>;

// At least one chunk. Each stretch is encoded on its own and fills up the chunk that is open; one
// that begins a chunk leaves the rest of it to padding. Too long is an error that counts.
Result<std::vector<PromptChunk>> make_prompt_chunks(const std::vector<WeightedText>& prompt,
                                                    const EncodeText& encode, const Frame& frame,
                                                    const ChunkRules& rules);

// Appends empty chunks up to `count`: prompt and negative prompt must be of one length.
void pad_prompt_chunks(std::vector<PromptChunk>& chunks, std::size_t count, const Frame& frame,
                       const ChunkRules& rules);

}  // namespace limner::tokenizers
