#include "diffusion/schedulers/solver_scheduler.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace limner::schedulers {

SolverOptions read_solver_options(OptionReader& options, const NoiseScheduleTraits& traits,
                                  int solver_order_max, bool lower_order_final) {
  SolverOptions out;
  out.noise = read_noise_schedule(options, traits);
  out.prediction_type = read_prediction_type(options, {.sample = true, .flow = true});
  read_thresholding(options, out.limits);
  out.sigmas = read_sigma_options(options);
  out.use_flow_sigmas = options.flag("use_flow_sigmas", false);
  out.flow = read_flow_shift(options, "flow_shift");
  out.solver_order = options.integer("solver_order", 2, 1, solver_order_max);
  out.lower_order_final = options.flag("lower_order_final", lower_order_final);
  return out;
}

void SolverScheduler::scale_model_input(ConstLatents sample, int /*index*/, Latents scaled) {
  LIMNER_CHECK(sample.size() == scaled.size(), "latents of different sizes");
  std::ranges::copy(sample, scaled.begin());
}

void SolverScheduler::predict_original(ConstLatents model_output, int index, ConstLatents sample,
                                       Latents original) const {
  // A flow's output is reckoned with the bare sigma, whatever the schedule.
  const auto level = options_.prediction_type == PredictionType::FlowPrediction
                         ? NoiseLevel{.alpha = 1.0F, .sigma = sigma_at(index)}
                         : level_at(index);
  original_from(options_.prediction_type, level, model_output, sample, original);
  options_.limits.apply(original);
}

void SolverScheduler::add_noise(ConstLatents original, ConstLatents noise, int index,
                                Latents noisy) const {
  mix(level_at(index), original, noise, noisy);
}

SolverScheduler::Levels SolverScheduler::make_levels(std::vector<double> timesteps, int step_count,
                                                     bool rounds_karras) const {
  Levels levels{.timesteps = std::move(timesteps), .sigmas = {}};
  const SigmaSpacing spacing = options_.sigmas.spacing;
  if (spacing == SigmaSpacing::Default) {
    for (const double t : levels.timesteps) levels.sigmas.push_back(interpolate(t, table_));
    return levels;
  }
  levels.sigmas = space_sigmas(options_.sigmas, table_.back(), table_.front(), step_count);
  levels.timesteps = sigmas_to_timesteps(levels.sigmas, logarithms(table_));
  if (spacing == SigmaSpacing::Karras && rounds_karras) {
    levels.timesteps = rounded(std::move(levels.timesteps));
  }
  return levels;
}

SolverScheduler::Levels SolverScheduler::make_flow_levels(const ScheduleRequest& request) const {
  const int train_steps = options_.noise.num_train_timesteps;
  const auto& flow = options_.flow;
  const bool is_dynamic = flow.is_dynamic && request.image_sequence_length > 0;
  const double shift = is_dynamic ? std::exp(flow.mu(request.image_sequence_length)) : flow.shift;
  Levels levels;
  for (const double alpha : linspace(1, 1.0 / train_steps, request.num_inference_steps + 1)) {
    const double sigma = 1 - alpha;
    levels.sigmas.push_back(shift * sigma / (1 + (shift - 1) * sigma));
  }
  std::ranges::reverse(levels.sigmas);
  levels.sigmas.pop_back();
  for (const double sigma : levels.sigmas) levels.timesteps.push_back(sigma * train_steps);
  return levels;
}

void SolverScheduler::take(Levels levels, double final_sigma) {
  for (double& t : levels.timesteps) t = std::trunc(t);
  timesteps_ = to_float(levels.timesteps);
  levels.sigmas.push_back(final_sigma);
  sigmas_ = to_float(levels.sigmas);
  outputs_.clear();
}

NoiseLevel SolverScheduler::level_at(int index) const {
  const float sigma = sigma_at(index);
  if (options_.use_flow_sigmas) return {.alpha = 1.0F - sigma, .sigma = sigma};
  const float alpha = 1.0F / std::sqrt(sigma * sigma + 1.0F);
  return {.alpha = alpha, .sigma = sigma * alpha};
}

float SolverScheduler::lambda_at(int index) const {
  const auto [alpha, sigma] = level_at(index);
  return log_float(alpha) - log_float(sigma);
}

std::vector<float> SolverScheduler::epsilon_at(ConstLatents model_output, int index,
                                               ConstLatents sample) const {
  std::vector<float> epsilon(sample.size());
  epsilon_from(options_.prediction_type, level_at(index), model_output, sample, epsilon);
  return epsilon;
}

void SolverScheduler::remember(std::vector<float> output) {
  if (outputs_.size() == static_cast<std::size_t>(options_.solver_order)) outputs_.pop_back();
  outputs_.push_front(std::move(output));
}

float exp_float(float x) {
  return static_cast<float>(std::exp(static_cast<double>(x)));
}
float log_float(float x) {
  return static_cast<float>(std::log(static_cast<double>(x)));
}

}  // namespace limner::schedulers
