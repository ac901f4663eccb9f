// A CLIP tokenizer with its text encoder: text in, embeds out, remembered.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/lru_cache.hpp"
#include "core/generation.hpp"
#include "diffusion/models/clip_text_model.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/tokenizers/clip_tokenizer.hpp"

namespace limner::pipelines {

// A request's text and the name of the field it came in.
struct PromptField {
  std::string_view field;
  const std::string& text;
};

// A further encoder's text: its own, or the first one's. An empty one counts as absent, as in
// diffusers.
const std::string& own_or(const std::optional<std::string>& own, const std::string& first);

// The same error under the request's own field name.
Error under_field(Error error, std::string_view field);

// Ids beyond an encoder's table would read past its end. `number` is "", "_2" or "_3".
Result<void> check_vocabulary(const std::string& number, std::size_t tokens,
                              std::int64_t vocab_size);

class ClipPromptEncoder {
 public:
  // `number` as in diffusers' folders: "" for text_encoder and tokenizer, "_2" for the second.
  // Its weights stay as the file has them: rounding them moves pictures several times as far as
  // rounding the denoiser does, and they are a small part of a model.
  static Result<ClipPromptEncoder> load(runtime::Runtime& runtime, const ModelFolder& folder,
                                        const std::string& number);

  const models::ClipTextConfig& config() const { return text_encoder_.config(); }
  std::size_t max_length() const;  // with begin and end marks

  // Adds the text's tokens to `effective`; a text that is too long is an error, or a note where the
  // request lets it be cut. Safe on any thread.
  Result<void> check(const PromptField& prompt, bool truncates, EffectiveParams& effective) const;

  using Output = models::ClipTextModel::Output;
  // See ClipTextModel::run for `skip` and `apply_final_norm`. Engine thread only.
  Result<std::shared_ptr<const Output>> encode(const PromptField& prompt, int skip,
                                               bool apply_final_norm, bool truncates);

 private:
  ClipPromptEncoder(tokenizers::ClipTokenizer tokenizer, models::ClipTextModel text_encoder);

  tokenizers::ClipTokenizer tokenizer_;
  models::ClipTextModel text_encoder_;
  // Prompts repeat (retries, variations, the empty negative); shared with running requests.
  LruCache<std::shared_ptr<const Output>> outputs_;
};

}  // namespace limner::pipelines
