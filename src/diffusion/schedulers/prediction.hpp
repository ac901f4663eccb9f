// What a network's output means, and the two readings of it that every rule needs.
#pragma once

#include <span>

#include "diffusion/schedulers/options.hpp"

namespace limner::schedulers {

// Latents and model outputs of one image, flat; all spans of one call have one size.
using Latents = std::span<float>;
using ConstLatents = std::span<const float>;

enum class PredictionType { Epsilon, Sample, VPrediction, FlowPrediction };

// The share of picture and noise in a latent: x_t = alpha * x_0 + sigma * epsilon.
struct NoiseLevel {
  float alpha = 1.0F;
  float sigma = 0.0F;
};

// Which of the optional predictions a class takes besides epsilon and v_prediction.
struct PredictionTraits {
  bool sample = true;
  bool flow = false;
};
PredictionType read_prediction_type(OptionReader& options, const PredictionTraits& traits = {});

// The clean latent x_0. `original` may be any of the inputs.
void original_from(PredictionType type, NoiseLevel level, ConstLatents model_output,
                   ConstLatents sample, Latents original);
// The noise. Not for FlowPrediction, which no noise-predicting rule takes.
void epsilon_from(PredictionType type, NoiseLevel level, ConstLatents model_output,
                  ConstLatents sample, Latents epsilon);
// x_0 in the scaling of the sigma schedulers, x_t = x_0 + sigma * epsilon.
void unscaled_original_from(PredictionType type, float sigma, ConstLatents model_output,
                            ConstLatents sample, Latents original);

// level.alpha * original + level.sigma * noise.
void mix(NoiseLevel level, ConstLatents original, ConstLatents noise, Latents noisy);

// What a class may do to a predicted x_0 before it goes on.
struct OriginalLimits {
  bool thresholding = false;  // dynamic thresholding, arXiv:2205.11487
  double dynamic_thresholding_ratio = 0.995;
  double sample_max_value = 1.0;
  bool clip_sample = false;
  double clip_sample_range = 1.0;

  void apply(Latents original) const;
};
void read_thresholding(OptionReader& options, OriginalLimits& limits);
void read_clipping(OptionReader& options, bool fallback, OriginalLimits& limits);

}  // namespace limner::schedulers
