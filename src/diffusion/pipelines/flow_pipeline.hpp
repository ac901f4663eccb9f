// SD3, FLUX and Z-Image: latent diffusion with a transformer over patches that predicts velocities
// along straight lines (rectified flow). They share schedules and where image to image begins.
#pragma once

#include <string>
#include <vector>

#include "diffusion/models/timestep_text_embedding.hpp"
#include "diffusion/pipelines/latent_pipeline.hpp"

namespace limner::pipelines {

class FlowPipeline : public LatentPipeline {
 protected:
  // `patch_size`: latents below one of the transformer's tokens, along each side.
  FlowPipeline(Parts parts, ModelTraits traits, int patch_size);

  // VAE and scheduler with the flow families' scaling, and their other schedulers set to run along
  // flows.
  static Result<Parts> open_flow_parts(runtime::Runtime& runtime, const ModelFolder& folder,
                                       std::size_t denoiser_bytes, nn::WeightFormat weight_format);
  // `patch_size` as above; `sample_size`: the latent's own side.
  static ModelTraits derive_flow_traits(const std::string& name, const ModelFolder& folder,
                                        const Parts& parts, std::int64_t sample_size,
                                        int patch_size);

  schedulers::ScheduleRequest schedule(int steps, LatentShape shape) const override;
  int first_call(int steps, double strength, int order) const override;
  // Evenly spaced levels of a pipeline's own, 1 to 1 / steps, which the scheduler shifts.
  static std::vector<double> even_sigmas(int steps);

  // Rows of one call side by side, as the network takes them.
  struct Gathered {
    std::vector<float> sample, timesteps, embeds, pooled;
    std::int64_t sequence_length = 0;
    models::TransformerInputs inputs(LatentShape shape) const;
  };
  static Gathered gather_rows(std::span<const NetworkRow> rows);

 private:
  int patch_size_;
};

}  // namespace limner::pipelines
