// Any bytes are a prompt: encoded, weighted, cut into chunks and searched for LoRA tags, with ids
// that the vocabulary has and rows of the length that was asked for.
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/check.hpp"
#include "diffusion/tokenizers/clip_tokenizer.hpp"
#include "diffusion/tokenizers/lora_tags.hpp"
#include "diffusion/tokenizers/prompt_chunks.hpp"
#include "diffusion/tokenizers/prompt_weights.hpp"
#include "diffusion/tokenizers/t5_tokenizer.hpp"

namespace {

namespace tokenizers = limner::tokenizers;

template <typename Tokenizer>
Tokenizer load(const char* name) {
  auto tokenizer =
      Tokenizer::load(std::filesystem::path(LIMNER_SOURCE_DIR) / "tests/golden/tokenizers" / name);
  LIMNER_CHECK(tokenizer.has_value());
  return *std::move(tokenizer);
}

template <typename Tokenizer>
void check(const Tokenizer& tokenizer, std::string_view text) {
  for (const auto id : tokenizer.encode(text)) {
    LIMNER_CHECK(id >= 0 && static_cast<std::size_t>(id) < tokenizer.vocab_size());
  }
  const auto row = tokenizer.encode_truncated(text, 16);
  LIMNER_CHECK(row.ids.size() == 16 && row.attention_mask.size() == 16);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto clip = load<tokenizers::ClipTokenizer>("clip_small");
  static const auto t5 = load<tokenizers::T5Tokenizer>("t5_spiece");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(clip, text);
  check(t5, text);
  if (const auto tags = tokenizers::extract_lora_tags(text)) {
    LIMNER_CHECK(tags->prompt.size() + 7 * tags->loras.size() <= text.size());
  }
  const auto weighted = tokenizers::parse_prompt_weights(text);
  if (!weighted) return 0;
  const auto encode = [&](std::string_view part) { return clip.encode(part); };
  const auto chunks = tokenizers::make_prompt_chunks(*weighted, encode, clip.frame(),
                                                     {.window = 16, .chunks_max = 4});
  if (!chunks) return 0;
  LIMNER_CHECK(!chunks->empty() && chunks->size() <= 4);
  for (const auto& chunk : *chunks) {
    LIMNER_CHECK(chunk.ids.size() == 16 && chunk.weights.size() == 16);
  }
  return 0;
}
