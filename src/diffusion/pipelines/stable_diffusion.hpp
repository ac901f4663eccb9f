// StableDiffusionPipeline: Stable Diffusion 1 and 2, their Turbo and inpainting kin, and the
// embedded default.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/lru_cache.hpp"
#include "diffusion/models/clip_text_model.hpp"
#include "diffusion/pipelines/unet_pipeline.hpp"
#include "diffusion/tokenizers/clip_tokenizer.hpp"

namespace limner::pipelines {

class StableDiffusionPipeline final : public UNetPipeline {
 public:
  static Result<std::unique_ptr<Pipeline>> load(const std::string& name, const ModelFolder& folder,
                                                runtime::Runtime& runtime,
                                                nn::WeightFormat weight_format);

  Result<EffectiveParams> check(const GenerationRequest& request) const override;

 protected:
  Result<GuidedConditioning> encode(const GenerationRequest& request, bool guided) override;
  int sequence_length(const GenerationRequest& request) const override;

 private:
  StableDiffusionPipeline(Parts parts, ModelTraits traits, tokenizers::ClipTokenizer tokenizer,
                          models::ClipTextModel text_encoder);
  std::size_t max_length() const;
  Result<std::shared_ptr<const runtime::Tensor>> encode_text(const std::string& text, int clip_skip,
                                                             bool truncates);

  tokenizers::ClipTokenizer tokenizer_;
  models::ClipTextModel text_encoder_;
  // Prompts repeat (retries, variations, the empty negative): their embeds are kept.
  LruCache<std::shared_ptr<const runtime::Tensor>> embeds_;
};

}  // namespace limner::pipelines
