// What Stable Diffusion 1, 2 and XL share: a UNet denoiser under classifier-free guidance, an
// AutoencoderKL, and three ways to begin (from noise, from an image, from an image and a mask).
// Families say how a prompt becomes conditioning.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffusion/models/autoencoder_kl.hpp"
#include "diffusion/models/unet_2d_condition.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/pipelines/pipeline.hpp"
#include "diffusion/pipelines/preview_decoder.hpp"
#include "diffusion/pipelines/trajectory.hpp"
#include "diffusion/schedulers/factory.hpp"

namespace limner::pipelines {

// What the UNet is told, for the text or for its absence. Shared because cached encodings are.
struct Conditioning {
  std::shared_ptr<const runtime::Tensor> prompt_embeds;  // [1, S, D]
  std::vector<float> text_embeds = {};                   // [D_pooled]; SDXL
  std::vector<float> time_ids = {};                      // [6]; SDXL
};

struct GuidedConditioning {
  Conditioning text;
  std::optional<Conditioning> uncond;  // absent without guidance
};

class UNetPipeline : public Pipeline {
 public:
  const ModelTraits& traits() const override { return traits_; }
  BatchShape batch_shape(const GenerationRequest& request) const override;
  int rows_max(const BatchKey& key) const override;
  Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) override;
  std::vector<Result<void>> step(std::span<DenoiseState* const> states) override;
  Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality quality) override;

 protected:
  struct Parts {
    models::UNet2DConditionModel unet;
    models::AutoencoderKL vae;
    schedulers::SchedulerConfig scheduler;
    std::size_t unet_size_bytes = 0;
    // SDXL's pipelines alone read the VAE's latents_mean and latents_std.
    bool uses_latent_statistics = false;
    double inpaint_strength = 1.0;  // diffusers' default of the family's inpainting
  };
  UNetPipeline(Parts parts, ModelTraits traits);

  // Opens UNet, VAE and scheduler of a folder.
  static Result<Parts> open_parts(runtime::Runtime& runtime, const ModelFolder& folder,
                                  nn::WeightFormat weight_format);
  // Traits that follow from the networks alone.
  static ModelTraits derive_traits(const std::string& name, const ModelFolder& folder,
                                   const Parts& parts);

  // Prompt embeds of the request; `uncond` only when `guided`.
  virtual Result<GuidedConditioning> encode(const GenerationRequest& request, bool guided) = 0;
  virtual int sequence_length(const GenerationRequest& request) const = 0;

  bool is_guided(const GenerationRequest& request) const;
  void note_unused_negative(const GenerationRequest& request, EffectiveParams& effective) const;
  const models::UNet2DConditionConfig& unet_config() const { return unet_.config(); }

 private:
  class State;
  struct Row;

  double guidance_scale(const GenerationRequest& request) const;
  Result<void> begin(const GenerationRequest& request, State& state, Trajectory& image);
  Result<void> begin_from_image(const GenerationRequest& request, const State& state,
                                Trajectory& image);
  Result<void> begin_inpainting(const GenerationRequest& request, const State& state,
                                Trajectory& image);
  Result<std::vector<float>> encode_image(std::span<const float> pixels, ImageSize size,
                                          Trajectory& image);
  // Between the VAE's latents and the denoiser's, in place.
  void scale_latents(std::span<float> latents) const;
  void unscale_latents(std::span<float> latents) const;
  std::vector<Row> gather(std::span<State* const> states) const;
  Result<void> run_rows(std::span<const Row> rows, const State& any, std::span<float> noise_pred);
  Result<Image> decode_full(std::span<const float> latents, const State& state);
  void advance(State& state, std::span<const float> noise_pred) const;

  models::UNet2DConditionModel unet_;
  models::AutoencoderKL vae_;
  PreviewDecoder preview_;
  schedulers::SchedulerConfig scheduler_config_;
  bool uses_latent_statistics_;
  double inpaint_strength_;
  int rows_max_;
  ModelTraits traits_;
};

}  // namespace limner::pipelines
