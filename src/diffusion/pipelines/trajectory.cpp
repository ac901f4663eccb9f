#include "diffusion/pipelines/trajectory.hpp"

namespace limner::pipelines {

void apply_guidance(std::span<const float> uncond, std::span<const float> text, float scale,
                    std::span<float> noise_pred) {
  for (std::size_t i = 0; i < noise_pred.size(); ++i) {
    noise_pred[i] = uncond[i] + scale * (text[i] - uncond[i]);
  }
}

}  // namespace limner::pipelines
