#include "diffusion/schedulers/sigma_scheduler.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace limner::schedulers {

float SigmaScheduler::init_noise_sigma() const {
  LIMNER_CHECK(!sigmas_.empty(), "set_timesteps comes first");
  const float sigma_max = std::ranges::max(sigmas_);
  if (options_.spacing.spacing != TimestepSpacing::Leading) return sigma_max;
  return std::sqrt(sigma_max * sigma_max + 1.0F);
}

void SigmaScheduler::scale_model_input(ConstLatents sample, int index, Latents scaled) {
  LIMNER_CHECK(sample.size() == scaled.size(), "latents of different sizes");
  const float sigma = input_sigma(index);
  const float scale = std::sqrt(sigma * sigma + 1.0F);
  std::ranges::transform(sample, scaled.begin(), [=](float x) { return x / scale; });
}

void SigmaScheduler::predict_original(ConstLatents model_output, int index, ConstLatents sample,
                                      Latents original) const {
  unscaled_original_from(options_.prediction_type, input_sigma(index), model_output, sample,
                         original);
}

void SigmaScheduler::add_noise(ConstLatents original, ConstLatents noise, int index,
                               Latents noisy) const {
  mix({.alpha = 1.0F, .sigma = sigma_at(index)}, original, noise, noisy);
}

SigmaScheduler::Levels SigmaScheduler::make_levels(int step_count) const {
  Levels levels;
  levels.timesteps =
      spaced_timesteps(options_.spacing, options_.noise.num_train_timesteps, step_count);
  for (const double t : levels.timesteps) {
    // diffusers looks sigmas up at float32 timesteps.
    levels.sigmas.push_back(interpolate(static_cast<float>(t), table_));
  }
  if (options_.sigmas.spacing == SigmaSpacing::Default) return levels;
  levels.sigmas =
      space_sigmas(options_.sigmas, levels.sigmas.front(), levels.sigmas.back(), step_count);
  levels.timesteps = sigmas_to_timesteps(levels.sigmas, logarithms(table_));
  return levels;
}

void SigmaScheduler::take(std::vector<float> timesteps, std::vector<float> sigmas) {
  timesteps_ = std::move(timesteps);
  sigmas_ = std::move(sigmas);
}

std::vector<float> doubled_after_first(std::span<const float> values) {
  std::vector<float> out(values.begin(), values.begin() + 1);
  for (const float value : values.subspan(1)) out.insert(out.end(), 2, value);
  return out;
}

std::vector<float> doubled_inside(std::span<const float> levels) {
  auto out = doubled_after_first(levels.first(levels.size() - 1));
  out.push_back(levels.back());
  return out;
}

}  // namespace limner::schedulers
