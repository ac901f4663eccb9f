#include "diffusion/schedulers/alpha_scheduler.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/check.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"

namespace limner::schedulers {

void AlphaScheduler::scale_model_input(ConstLatents sample, int /*index*/, Latents scaled) {
  LIMNER_CHECK(sample.size() == scaled.size(), "latents of different sizes");
  std::ranges::copy(sample, scaled.begin());
}

void AlphaScheduler::predict_original(ConstLatents model_output, int index, ConstLatents sample,
                                      Latents original) const {
  original_from(options_.prediction_type, level_at(timestep_at(index)), model_output, sample,
                original);
  options_.limits.apply(original);
}

void AlphaScheduler::add_noise(ConstLatents original, ConstLatents noise, int index,
                               Latents noisy) const {
  mix(level_at(timestep_at(index)), original, noise, noisy);
}

Result<void> AlphaScheduler::take_timesteps(std::span<const double> timesteps) {
  timesteps_ = to_float(timesteps);
  for (const float timestep : timesteps_) {
    if (timestep < static_cast<float>(num_train_timesteps())) continue;
    return invalid_value(
        "num_inference_steps",
        fmt::format("num_inference_steps: {} steps with this model's steps_offset reach timestep "
                    "{}, of {} it was trained on",
                    timesteps_.size(), timestep, num_train_timesteps()));
  }
  return {};
}

int AlphaScheduler::timestep_at(int index) const {
  return static_cast<int>(timesteps_.at(static_cast<std::size_t>(index)));
}

float AlphaScheduler::alpha_at(int timestep) const {
  const auto& alphas = options_.noise.alphas_cumprod;
  const int wrapped = timestep < 0 ? timestep + num_train_timesteps() : timestep;
  return alphas.at(static_cast<std::size_t>(wrapped));
}

float AlphaScheduler::alpha_before(int timestep) const {
  if (timestep >= 0) return alpha_at(timestep);
  return options_.set_alpha_to_one ? 1.0F : options_.noise.alphas_cumprod.front();
}

NoiseLevel AlphaScheduler::level_at(int timestep) const {
  return level_of(alpha_at(timestep));
}

NoiseLevel level_of(float alpha_cumprod) {
  return {.alpha = std::sqrt(alpha_cumprod), .sigma = std::sqrt(1.0F - alpha_cumprod)};
}

}  // namespace limner::schedulers
