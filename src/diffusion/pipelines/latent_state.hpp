// What the latent pipelines know of a request under way. Only latent_*.cpp include this.
#pragma once

#include <optional>
#include <vector>

#include "diffusion/pipelines/latent_pipeline.hpp"

namespace limner::pipelines {

class LatentPipeline::State final : public DenoiseState {
 public:
  int step_index() const override { return index_; }
  int step_count() const override { return count_; }
  const EffectiveParams& effective() const override { return effective_; }
  std::size_t rows_per_image() const { return conditioning_.uncond ? 2 : 1; }
  LatentShape latent_shape(const Trajectory& image) const {
    return {.channels =
                static_cast<int>(image.latents.size() / static_cast<std::size_t>(height_ * width_)),
            .height = static_cast<int>(height_),
            .width = static_cast<int>(width_)};
  }

  EffectiveParams effective_;
  Task task_ = Task::TextToImage;
  GuidedConditioning conditioning_;
  std::vector<Trajectory> images_;
  schedulers::StepOptions options_;
  double guidance_scale_ = 1;
  bool wants_previews_ = false;
  bool is_blended_ = false;                        // inpainting on a 4-channel network
  std::vector<float> mask_;                        // [1, h, w], 1 = repaint
  std::optional<runtime::Tensor> image_moments_;   // of the VAE's encoder; only while preparing
  std::optional<runtime::Tensor> masked_moments_;  // of the picture without what is repainted
  std::int64_t height_ = 0;                        // of the latent
  std::int64_t width_ = 0;
  int begin_ = 0;  // of the schedule's timesteps
  int index_ = 0;
  int count_ = 0;
};

// The rows of one step of several requests.
struct LatentPipeline::Calls {
  LatentShape shape{};
  std::vector<std::vector<float>> samples;  // one an image, as its scheduler wants them
  std::vector<NetworkRow> rows;             // picture by picture
  std::vector<int> rows_of_pictures;
  std::vector<float> noise_pred;  // [rows, C, h, w]
};

}  // namespace limner::pipelines
