// What all families of latent diffusion share: three ways to begin (from noise, from an image, from
// an image and a mask), steps under classifier-free guidance, and decoding. A family says how a
// prompt becomes conditioning and how its network is called.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffusion/models/autoencoder.hpp"
#include "diffusion/pipelines/call_sharing.hpp"
#include "diffusion/pipelines/latent_scaling.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/pipelines/pipeline.hpp"
#include "diffusion/pipelines/preview_decoder.hpp"
#include "diffusion/pipelines/trajectory.hpp"
#include "diffusion/schedulers/factory.hpp"

namespace limner::pipelines {

// What the denoiser is told, for the text or for its absence. Shared because encodings are cached.
struct Conditioning {
  std::shared_ptr<const runtime::Tensor> prompt_embeds;  // [1, S, D]
  std::vector<float> pooled = {};                        // [D_pooled]; SDXL, SD3, FLUX
  std::vector<float> time_ids = {};                      // [6]; SDXL
};

struct GuidedConditioning {
  Conditioning text;
  std::optional<Conditioning> uncond;  // absent without guidance
};

// How many rows one call should carry (or those of one picture, when these are more), and how many
// compiled shapes are kept, by the bytes of a denoiser's weights.
struct NetworkScale {
  int rows_max;
  std::size_t shapes_max;
  static NetworkScale of(std::size_t weight_bytes);
};

class LatentPipeline : public Pipeline {
 public:
  const ModelTraits& traits() const override { return traits_; }
  BatchShape batch_shape(const GenerationRequest& request) const override;
  int rows_max(const BatchKey& key) const override;
  Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) override;
  std::vector<Result<void>> step(std::span<DenoiseState* const> states) override;
  Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality quality) override;

 protected:
  struct Parts {
    std::unique_ptr<models::Autoencoder> vae;
    schedulers::SchedulerConfig scheduler;
    schedulers::SchedulerConfig inpaint_scheduler;
    LatentScaling scaling;
    int rows_max = 1;
    double inpaint_strength = 1.0;  // diffusers' default of the family's inpainting
    // Latent consistency pipelines run every step of a schedule that begins lower; the others
    // leave out the first steps of the whole schedule.
    bool strength_shortens_schedule = false;
  };
  LatentPipeline(Parts parts, ModelTraits traits);

  // Opens VAE and scheduler of a folder; scaling by scaling_factor alone.
  static Result<Parts> open_parts(runtime::Runtime& runtime, const ModelFolder& folder,
                                  std::size_t denoiser_bytes, nn::WeightFormat weight_format);
  // What follows from the parts: sizes, schedulers, tasks. `sample_size`: the latent's own side.
  static ModelTraits derive_traits(const std::string& name, const ModelFolder& folder,
                                   const Parts& parts, std::int64_t sample_size);

  // Prompt embeds of the request; `uncond` only when `guided`. Engine thread.
  virtual Result<GuidedConditioning> encode(const GenerationRequest& request, bool guided) = 0;
  virtual int sequence_length(const GenerationRequest& request) const = 0;

  // A row of one network call.
  struct NetworkRow {
    std::span<const float> sample;          // [C, h, w], scaled as the scheduler wants
    std::span<const float> extra_channels;  // [C', h, w]; inpainting networks
    float timestep;
    const Conditioning* conditioning;
    double guidance_scale;  // for networks that take it as an input
  };
  // noise_pred [rows, C, h, w]
  virtual Result<void> predict(std::span<const NetworkRow> rows, LatentShape shape,
                               std::span<float> noise_pred) = 0;

  // Does this request run a second, unconditional row per image?
  virtual bool is_guided(const GenerationRequest& request) const;
  // By what the difference between the rows with and without text is multiplied.
  virtual double guidance_weight(double guidance_scale, float /*timestep*/) const {
    return guidance_scale;
  }
  // Does the network itself take mask and masked image (9-channel UNets)?
  virtual bool has_inpainting_network() const { return false; }
  // Does inpainting draw the image's latents even where it begins from pure noise?
  virtual bool encodes_image_always() const { return false; }
  // What such a network takes beside the latents [C', h, w]; mask, then masked image by default.
  struct InpaintingParts {
    std::span<const float> mask_px;         // [1, H, W]
    std::span<const float> mask;            // [1, h, w]
    std::span<const float> masked_latents;  // [C, h, w]
    LatentShape shape;
  };
  virtual std::vector<float> inpainting_channels(const InpaintingParts& parts) const;
  // Does decoding add the VAE's shift_factor that encoding took away?
  virtual bool adds_shift_back(Task) const { return true; }
  virtual schedulers::ScheduleRequest schedule(int steps, LatentShape shape) const;
  // Where an image-to-image trajectory begins among the schedule's calls.
  virtual int first_call(int steps, double strength, int order) const;

  double guidance_scale(const GenerationRequest& request) const;
  void note_unused_negative(const GenerationRequest& request, EffectiveParams& effective) const;
  const models::AutoencoderConfig& vae_config() const { return vae_->config(); }

 private:
  class State;
  struct Calls;

  Result<void> begin(const GenerationRequest& request, State& state, Trajectory& image);
  Result<void> begin_schedule(const GenerationRequest& request, State& state, Trajectory& image);
  Result<void> begin_from_image(const GenerationRequest& request, State& state, Trajectory& image);
  Result<void> begin_inpainting(const GenerationRequest& request, State& state, Trajectory& image);
  Result<void> begin_inpainting_network(const GenerationRequest& request, State& state,
                                        Trajectory& image);
  using MakePixels = std::function<std::vector<float>()>;  // [3, H, W]
  Result<const runtime::Tensor*> encode_once(std::optional<runtime::Tensor>& moments,
                                             ImageSize size, const MakePixels& pixels);
  bool is_distribution(const runtime::Tensor& moments) const;
  std::vector<float> draw_latents(const runtime::Tensor& moments, Trajectory& image) const;
  void gather(State& state, Calls& calls) const;
  Result<void> run(Calls& calls);
  Result<void> predict_pictures(std::span<const NetworkRow> rows, std::span<const int> pictures,
                                LatentShape shape, std::span<float> noise_pred);
  Result<void> advance(State& state, std::span<const float> noise_pred) const;
  void advance_image(State& state, Trajectory& image, std::span<const float> prediction) const;
  Result<Image> decode_full(std::span<const float> latents, const State& state);

  std::unique_ptr<models::Autoencoder> vae_;
  PreviewDecoder preview_;
  schedulers::SchedulerConfig scheduler_config_;
  schedulers::SchedulerConfig inpaint_scheduler_config_;
  LatentScaling scaling_;
  int rows_max_;
  CallSharing sharing_;
  double inpaint_strength_;
  bool strength_shortens_schedule_;
  ModelTraits traits_;
};

}  // namespace limner::pipelines
