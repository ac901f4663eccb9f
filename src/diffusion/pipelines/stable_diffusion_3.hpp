// StableDiffusion3Pipeline: Stable Diffusion 3 and 3.5, with three text encoders of which the third
// (T5) may be absent.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "diffusion/models/sd3_transformer_2d.hpp"
#include "diffusion/pipelines/clip_prompt_encoder.hpp"
#include "diffusion/pipelines/flow_pipeline.hpp"
#include "diffusion/pipelines/t5_prompt_encoder.hpp"

namespace limner::pipelines {

class StableDiffusion3Pipeline final : public FlowPipeline {
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
  bool has_inpainting_network() const override;
  bool adds_shift_back(Task task) const override;

 private:
  struct Encoders {
    ClipPromptEncoder first, second;
    std::optional<T5PromptEncoder> third;
  };
  StableDiffusion3Pipeline(models::SD3Transformer2DModel transformer, Encoders encoders,
                           Parts parts, ModelTraits traits);
  static Result<Encoders> open_encoders(const std::string& name, const ModelFolder& folder,
                                        runtime::Runtime& runtime, nn::WeightFormat weight_format);
  static Result<void> check_fit(const std::string& name,
                                const models::SD3TransformerConfig& transformer,
                                const Encoders& encoders, const Parts& parts);
  static int t5_length(const GenerationRequest& request);
  // One side of the guidance: the texts of the three encoders.
  struct Texts {
    PromptField first, second, third;
  };
  static Texts texts_of(const Prompt& prompt);
  static Texts negatives_of(const Prompt& prompt);
  Result<void> check_texts(const Texts& texts, const GenerationRequest& request,
                           EffectiveParams& effective) const;
  Result<Conditioning> encode_texts(const Texts& texts, int clip_skip,
                                    const GenerationRequest& request);

  models::SD3Transformer2DModel transformer_;
  Encoders encoders_;
};

}  // namespace limner::pipelines
