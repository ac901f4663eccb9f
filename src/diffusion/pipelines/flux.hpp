// FluxPipeline: FLUX.1 schnell, dev and Fill. CLIP's pooled text steers, T5 tells. Distilled: one
// row an image, guidance (where the model knows it) is an input of the network.
#pragma once

#include <memory>
#include <string>

#include "diffusion/models/flux_transformer_2d.hpp"
#include "diffusion/pipelines/clip_prompt_encoder.hpp"
#include "diffusion/pipelines/flow_pipeline.hpp"
#include "diffusion/pipelines/t5_prompt_encoder.hpp"

namespace limner::pipelines {

class FluxPipeline final : public FlowPipeline {
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
  bool is_guided(const GenerationRequest&) const override { return false; }
  bool has_inpainting_network() const override;
  bool encodes_image_always() const override { return true; }
  std::vector<float> inpainting_channels(const InpaintingParts& parts) const override;

 private:
  FluxPipeline(models::FluxTransformer2DModel transformer, ClipPromptEncoder clip,
               T5PromptEncoder t5, Parts parts, ModelTraits traits);
  static Result<void> check_fit(const std::string& name,
                                const models::FluxTransformerConfig& transformer,
                                const ClipPromptEncoder& clip, const T5PromptEncoder& t5,
                                const models::AutoencoderConfig& vae);

  models::FluxTransformer2DModel transformer_;
  ClipPromptEncoder clip_;
  T5PromptEncoder t5_;
};

}  // namespace limner::pipelines
