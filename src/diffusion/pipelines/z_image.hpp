// ZImagePipeline: Z-Image and Z-Image-Turbo (Tongyi 2025). A language model reads the prompt, one
// stream of tokens holds picture and caption.
#pragma once

#include <memory>
#include <string>

#include "diffusion/models/z_image_transformer_2d.hpp"
#include "diffusion/pipelines/flow_pipeline.hpp"
#include "diffusion/pipelines/qwen_prompt_encoder.hpp"

namespace limner::pipelines {

class ZImagePipeline final : public FlowPipeline {
 public:
  static Result<std::unique_ptr<Pipeline>> load(const std::string& name, const ModelFolder& folder,
                                                runtime::Runtime& runtime,
                                                nn::WeightFormat weight_format);

  Result<EffectiveParams> check(const GenerationRequest& request) const override;

 protected:
  Result<GuidedConditioning> encode(const GenerationRequest& request, bool guided) override;
  int sequence_length(const GenerationRequest& request) const override;
  Result<void> predict(std::span<const NetworkRow> rows, LatentShape shape,
                       std::span<float> noise_pred) override;
  schedulers::ScheduleRequest schedule(int steps, LatentShape shape) const override;
  bool is_guided(const GenerationRequest& request) const override;
  double guidance_weight(double guidance_scale, float timestep) const override;
  bool encodes_image_always() const override { return true; }

 private:
  ZImagePipeline(models::ZImageTransformer2DModel transformer, QwenPromptEncoder text, Parts parts,
                 ModelTraits traits);
  static Result<void> check_fit(const std::string& name,
                                const models::ZImageTransformerConfig& transformer,
                                const QwenPromptEncoder& text,
                                const models::AutoencoderConfig& vae);
  int length_max(const GenerationRequest& request) const;

  models::ZImageTransformer2DModel transformer_;
  QwenPromptEncoder text_;
};

}  // namespace limner::pipelines
