#include "diffusion/tokenizers/prompt_chunks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.hpp"

namespace limner::tokenizers {
namespace {

// Tokens of a chunk without its marks.
struct Tokens {
  std::vector<TokenId> ids;
  std::vector<float> weights;
};

PromptChunk framed(const Tokens& tokens, const Frame& frame, std::size_t window) {
  PaddedIds row = pad_ids_truncated(tokens.ids, frame, window);
  PromptChunk chunk{std::move(row.ids), std::move(row.attention_mask),
                    std::vector<float>(window, 1.0f)};
  std::copy(tokens.weights.begin(), tokens.weights.end(),
            chunk.weights.begin() + static_cast<std::ptrdiff_t>(frame.before.size()));
  return chunk;
}

}  // namespace

Result<std::vector<PromptChunk>> make_prompt_chunks(const std::vector<WeightedText>& prompt,
                                                    const EncodeText& encode, const Frame& frame,
                                                    const ChunkRules& rules) {
  LIMNER_CHECK(rules.window > frame.marks() && rules.chunks_max > 0);
  const std::size_t room = rules.window - frame.marks();
  std::vector<Tokens> filled(1);
  std::size_t token_count = 0;
  for (const auto& stretch : prompt) {
    if (stretch.begins_chunk) filled.emplace_back();
    for (const TokenId id : encode(stretch.text)) {
      if (filled.back().ids.size() == room) filled.emplace_back();
      filled.back().ids.push_back(id);
      filled.back().weights.push_back(stretch.weight);
      ++token_count;
    }
  }
  const std::size_t readable = rules.chunks_max * room;
  if (rules.truncates && filled.size() > rules.chunks_max) filled.resize(rules.chunks_max);
  if (!rules.truncates && token_count > readable) {
    return prompt_too_long(token_count, readable);
  }
  if (filled.size() > rules.chunks_max) {
    return invalid_value("prompt",
                         fmt::format("prompt: {} chunks of {} tokens, this model reads at most {}",
                                     filled.size(), room, rules.chunks_max),
                         "prompt_too_long");
  }
  std::vector<PromptChunk> chunks;
  for (const auto& tokens : filled) chunks.push_back(framed(tokens, frame, rules.window));
  return chunks;
}

void pad_prompt_chunks(std::vector<PromptChunk>& chunks, std::size_t count, const Frame& frame,
                       const ChunkRules& rules) {
  while (chunks.size() < count) chunks.push_back(framed({}, frame, rules.window));
}

}  // namespace limner::tokenizers
