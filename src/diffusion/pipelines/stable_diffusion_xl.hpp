// StableDiffusionXLPipeline: two text encoders, pooled embeds and the picture's size as conditions
// (Podell et al. 2023), and its Turbo, Lightning and inpainting kin.
#pragma once

#include <memory>
#include <string>

#include "diffusion/pipelines/clip_prompt_encoder.hpp"
#include "diffusion/pipelines/unet_pipeline.hpp"

namespace limner::pipelines {

class StableDiffusionXLPipeline final : public UNetPipeline {
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
  StableDiffusionXLPipeline(Opened opened, ClipPromptEncoder first, ClipPromptEncoder second,
                            bool force_zeros_for_empty_prompt);
  Result<Conditioning> encode_pair(const PromptField& prompt, const PromptField& prompt_2,
                                   const GenerationRequest& request);

  ClipPromptEncoder first_;
  ClipPromptEncoder second_;
  bool force_zeros_for_empty_prompt_;
};

}  // namespace limner::pipelines
