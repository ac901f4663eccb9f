// Qwen's tokenizer with its language model as a text encoder: text in, embeds out, remembered.
#pragma once

#include <memory>

#include "base/lru_cache.hpp"
#include "core/generation.hpp"
#include "diffusion/models/qwen3_model.hpp"
#include "diffusion/pipelines/clip_prompt_encoder.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/tokenizers/qwen2_tokenizer.hpp"
#include "runtime/tensor.hpp"

namespace limner::pipelines {

class QwenPromptEncoder {
 public:
  static Result<QwenPromptEncoder> load(runtime::Runtime& runtime, const ModelFolder& folder,
                                        nn::WeightFormat weight_format);

  const models::Qwen3Config& config() const { return text_encoder_.config(); }

  // Tokens of the text as a message: what encode() gives. Safe on any thread.
  int length(const PromptField& prompt, int length_max) const;

  // Adds the text's own tokens to `effective`; a message longer than `length_max` tokens is an
  // error, or a note where the request lets it be cut. Safe on any thread.
  Result<void> check(const PromptField& prompt, int length_max, bool truncates,
                     EffectiveParams& effective) const;

  // [1, S, hidden_size] without padding; cut to `length_max`, which check() has allowed. Engine
  // thread only.
  Result<std::shared_ptr<const runtime::Tensor>> encode(const PromptField& prompt, int length_max);

 private:
  QwenPromptEncoder(tokenizers::Qwen2Tokenizer tokenizer, models::Qwen3Model text_encoder);

  tokenizers::Qwen2Tokenizer tokenizer_;
  models::Qwen3Model text_encoder_;
  std::size_t frame_size_;  // tokens of an empty message
  LruCache<std::shared_ptr<const runtime::Tensor>> outputs_;
};

}  // namespace limner::pipelines
