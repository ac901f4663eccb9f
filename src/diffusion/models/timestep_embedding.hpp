// Sinusoids of a diffusion time, computed in float32 on the host: time may differ from row to row
// and be fractional, and a bf16 graph would spoil the large arguments.
// Formula: get_timestep_embedding of diffusers (after Ho et al. 2020, Vaswani et al. 2017).
#pragma once

#include <span>

#include "nn/ops.hpp"

namespace limner::models {

struct SinusoidOptions {
  bool flip_sin_to_cos = true;
  double downscale_freq_shift = 0;
  double scale = 1;
  double max_period = 10'000;
};

// out [D]: sin then cos (or flipped) of time * max_period^(-i / (D/2 - shift)); an odd D ends in 0.
void sinusoidal_embedding(float time, const SinusoidOptions& options, std::span<float> out);

// TimestepEmbedding: linear_1, activation, linear_2. x [B, D] → [B, T].
nn::Value timestep_embedding(const nn::Value& x, const nn::WeightScope& w,
                             std::string_view act_fn = "silu");

}  // namespace limner::models
