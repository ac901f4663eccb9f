#include "diffusion/schedulers/flow_scheduler.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"

namespace limner::schedulers {

void FlowScheduler::scale_model_input(ConstLatents sample, int /*index*/, Latents scaled) {
  LIMNER_CHECK(sample.size() == scaled.size(), "latents of different sizes");
  std::ranges::copy(sample, scaled.begin());
}

void FlowScheduler::predict_original(ConstLatents model_output, int index, ConstLatents sample,
                                     Latents original) const {
  original_from(PredictionType::FlowPrediction, {.alpha = 1.0F, .sigma = sigma_at(index)},
                model_output, sample, original);
}

void FlowScheduler::add_noise(ConstLatents original, ConstLatents noise, int index,
                              Latents noisy) const {
  const float sigma = sigma_at(index);
  mix({.alpha = 1.0F - sigma, .sigma = sigma}, original, noise, noisy);
}

std::vector<double> FlowScheduler::default_sigmas(const FlowShift& flow, int num_train_timesteps,
                                                  int step_count) {
  // The ends of diffusers' float32 table, shifted once there unless the shift is dynamic.
  const auto shift = static_cast<float>(flow.is_dynamic ? 1.0 : flow.shift);
  const auto train_count = static_cast<float>(num_train_timesteps);
  const auto shifted = [=](float sigma) { return shift * sigma / (1.0F + (shift - 1.0F) * sigma); };
  const double sigma_max = shifted(1.0F);
  const double sigma_min = shifted(1.0F / train_count);
  auto sigmas =
      linspace(sigma_max * num_train_timesteps, sigma_min * num_train_timesteps, step_count);
  for (double& sigma : sigmas) sigma /= num_train_timesteps;
  return sigmas;
}

void FlowScheduler::take(std::vector<float> timesteps, std::vector<float> sigmas) {
  timesteps_ = std::move(timesteps);
  sigmas_ = std::move(sigmas);
}

}  // namespace limner::schedulers
