// Stable Diffusion 1, 2 and XL: latent diffusion with a UNet.
#pragma once

#include <string>

#include "diffusion/models/unet_2d_condition.hpp"
#include "diffusion/pipelines/latent_pipeline.hpp"

namespace limner::pipelines {

class UNetPipeline : public LatentPipeline {
 protected:
  struct Opened {
    models::UNet2DConditionModel unet;
    Parts parts;
    ModelTraits traits;
  };
  // UNet, VAE and scheduler of a folder, and what follows from them.
  static Result<Opened> open(const std::string& name, const ModelFolder& folder,
                             runtime::Runtime& runtime, nn::WeightFormat weight_format);
  explicit UNetPipeline(Opened opened);

  Result<void> predict(std::span<const NetworkRow> rows, LatentShape shape,
                       std::span<float> noise_pred) override;
  bool is_guided(const GenerationRequest& request) const override;
  bool has_inpainting_network() const override;

 private:
  models::UNet2DConditionModel unet_;
};

}  // namespace limner::pipelines
