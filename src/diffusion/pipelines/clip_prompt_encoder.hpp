// A CLIP tokenizer with its text encoder: text in, embeds out, remembered. Where the request says
// so, a text may be longer than the window and hold weights.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lru_cache.hpp"
#include "core/generation.hpp"
#include "diffusion/models/clip_text_model.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/tokenizers/clip_tokenizer.hpp"
#include "diffusion/tokenizers/prompt_chunks.hpp"
#include "diffusion/tokenizers/prompt_weights.hpp"

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

// Layers left out at the end: SDXL and SD3 read the last but one, without the final norm.
constexpr int kPenultimate = 1;

// How a request wants its texts read.
struct ClipReading {
  PromptReading reading = {};
  bool truncates = false;  // what is too long is cut, else it is refused

  static ClipReading of(const GenerationRequest& request) {
    return {.reading = request.prompt_reading, .truncates = request.truncates_prompt};
  }
};

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
  Result<void> check(const PromptField& prompt, const ClipReading& how,
                     EffectiveParams& effective) const;
  // Windows of max_length() that the text fills; 1 where check() refuses it.
  std::size_t count_chunks(const std::string& text, const ClipReading& how) const;

  using Output = models::ClipTextModel::Output;
  struct Layer {
    int skip = 0;
    bool apply_final_norm = true;
  };
  // Of `chunk_count` windows or more, one after another: hidden [1, windows * max_length(), D]; the
  // pooled row is the first one's. See ClipTextModel::run for `layer`. Engine thread only.
  Result<std::shared_ptr<const Output>> encode(const PromptField& prompt, const Layer& layer,
                                               const ClipReading& how, std::size_t chunk_count = 1);

 private:
  using Chunks = std::vector<tokenizers::PromptChunk>;
  Result<std::vector<tokenizers::WeightedText>> split(const PromptField& prompt,
                                                      const ClipReading& how) const;
  Result<Chunks> chunk(const PromptField& prompt, const ClipReading& how,
                       std::size_t chunk_count) const;
  tokenizers::ChunkRules rules(const ClipReading& how) const;
  Result<Output> run(const Chunks& chunks, const Layer& layer);

  ClipPromptEncoder(tokenizers::ClipTokenizer tokenizer, models::ClipTextModel text_encoder);

  tokenizers::ClipTokenizer tokenizer_;
  models::ClipTextModel text_encoder_;
  // Prompts repeat (retries, variations, the empty negative); shared with running requests.
  LruCache<std::shared_ptr<const Output>> outputs_;
};

}  // namespace limner::pipelines
