#include "diffusion/models/timestep_embedding.hpp"

#include <cmath>
#include <cstddef>

namespace limner::models {

void sinusoidal_embedding(float time, const SinusoidOptions& options, std::span<float> out) {
  const std::size_t half = out.size() / 2;
  const auto divisor = static_cast<float>(static_cast<double>(half) - options.downscale_freq_shift);
  const auto log_period = static_cast<float>(-std::log(options.max_period));
  const std::size_t sin_begin = options.flip_sin_to_cos ? half : 0;
  const std::size_t cos_begin = options.flip_sin_to_cos ? 0 : half;
  for (std::size_t i = 0; i < half; ++i) {
    const float frequency = std::exp(log_period * static_cast<float>(i) / divisor);
    const float angle = static_cast<float>(options.scale) * (time * frequency);
    out[sin_begin + i] = std::sin(angle);
    out[cos_begin + i] = std::cos(angle);
  }
  if (out.size() % 2 == 1) out[out.size() - 1] = 0;
}

nn::Value timestep_embedding(const nn::Value& x, const nn::WeightScope& w,
                             std::string_view act_fn) {
  return nn::linear(nn::activation(nn::linear(x, w / "linear_1"), act_fn), w / "linear_2");
}

}  // namespace limner::models
