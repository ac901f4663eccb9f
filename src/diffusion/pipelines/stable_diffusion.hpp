// StableDiffusionPipeline: Stable Diffusion 1 and 2, their Turbo and inpainting kin, latent
// consistency models, and the embedded default.
#pragma once

#include <memory>
#include <string>

#include "diffusion/pipelines/clip_prompt_encoder.hpp"
#include "diffusion/pipelines/unet_pipeline.hpp"

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
  std::size_t chunk_count(const GenerationRequest& request) const;
  StableDiffusionPipeline(Opened opened, ClipPromptEncoder encoder);

  ClipPromptEncoder encoder_;
};

}  // namespace limner::pipelines
