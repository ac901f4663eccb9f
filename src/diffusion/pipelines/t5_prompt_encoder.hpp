// A T5 tokenizer with its encoder: text in, embeds out, remembered.
#pragma once

#include <memory>
#include <string>

#include "base/lru_cache.hpp"
#include "core/generation.hpp"
#include "diffusion/models/t5_encoder_model.hpp"
#include "diffusion/pipelines/clip_prompt_encoder.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/tokenizers/t5_tokenizer.hpp"
#include "runtime/tensor.hpp"

namespace limner::pipelines {

// What diffusers' pipelines take at most, whatever the tokenizer says.
constexpr int kT5LengthMax = 512;

// max_sequence_length against that limit.
Result<void> check_t5_length(const GenerationRequest& request);

class T5PromptEncoder {
 public:
  // `number` as in diffusers' folders: "_2" for text_encoder_2 and tokenizer_2.
  static Result<T5PromptEncoder> load(runtime::Runtime& runtime, const ModelFolder& folder,
                                      const std::string& number, nn::WeightFormat weight_format);

  const models::T5Config& config() const { return text_encoder_.config(); }

  // Adds the text's tokens to `effective`; a text longer than `length` tokens, end mark included,
  // is an error, or a note where the request lets it be cut. Safe on any thread.
  Result<void> check(const PromptField& prompt, int length, bool truncates,
                     EffectiveParams& effective) const;

  // [1, length, d_model], padding included. Engine thread only.
  Result<std::shared_ptr<const runtime::Tensor>> encode(const PromptField& prompt, int length,
                                                        bool truncates);

 private:
  T5PromptEncoder(tokenizers::T5Tokenizer tokenizer, models::T5EncoderModel text_encoder);

  tokenizers::T5Tokenizer tokenizer_;
  models::T5EncoderModel text_encoder_;
  LruCache<std::shared_ptr<const runtime::Tensor>> outputs_;
};

}  // namespace limner::pipelines
