// DEISMultistepScheduler in log rho, arXiv:2204.13902: the integral of a polynomial in log rho
// through the last noise predictions.
#include <algorithm>
#include <array>
#include <vector>

#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/solver_scheduler.hpp"

namespace limner::schedulers {
namespace {

class DeisMultistepScheduler final : public SolverScheduler {
 public:
  explicit DeisMultistepScheduler(SolverOptions options) : SolverScheduler(std::move(options)) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  int order_at(int index) const;
  float rho_at(int index) const;
  void first_order(int index, Latents sample) const;
  void higher_order(int index, int order, Latents sample) const;
};

// The antiderivative at t of the polynomial that is 1 at b and 0 at c.
float integral(float t, float b, float c) {
  return t * (-numpy_log(c) + numpy_log(t) - 1.0F) / (numpy_log(b) - numpy_log(c));
}

// And of the one that is 1 at b and 0 at c and d.
float integral(float t, float b, float c, float d) {
  const float log_t = numpy_log(t);
  const float log_c = numpy_log(c);
  const float log_d = numpy_log(d);
  const float numerator = t * (log_c * (log_d - log_t + 1.0F) - log_d * log_t + log_d +
                               log_t * log_t - 2.0F * log_t + 2.0F);
  return numerator / ((numpy_log(b) - log_c) * (numpy_log(b) - log_d));
}

Result<void> DeisMultistepScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request); !ok) return ok;
  const int train_steps = options().noise.num_train_timesteps;
  Levels levels;
  double final_sigma = table().front();
  if (options().sigmas.spacing == SigmaSpacing::Default && options().use_flow_sigmas) {
    levels = make_flow_levels(request);
    final_sigma = levels.sigmas.back();
  } else {
    const int step_count = request.num_inference_steps;
    levels = make_levels(solver_timesteps(options().spacing, train_steps, train_steps, step_count),
                         step_count, true);
    if (options().sigmas.spacing != SigmaSpacing::Default) final_sigma = levels.sigmas.back();
  }
  take(std::move(levels), final_sigma);
  return {};
}

int DeisMultistepScheduler::order_at(int index) const {
  constexpr int kFewSteps = 15;
  const int order = static_cast<int>(outputs().size());
  if (!options().lower_order_final || call_count() >= kFewSteps) return order;
  return std::min(order, call_count() - index);
}

void DeisMultistepScheduler::step(ConstLatents model_output, int index, Latents sample,
                                  TorchGenerator& /*generator*/,
                                  const StepOptions& /*step_options*/) {
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  std::vector<float> epsilon(sample.size());
  auto level = level_at(index);
  if (options().prediction_type == PredictionType::FlowPrediction) level.sigma = sigma_at(index);
  epsilon_from(PredictionType::Sample, level, original, sample, epsilon);
  remember(std::move(epsilon));
  const int order = order_at(index);
  order == 1 ? first_order(index, sample) : higher_order(index, order, sample);
}

float DeisMultistepScheduler::rho_at(int index) const {
  const auto [alpha, sigma] = level_at(index);
  return sigma / alpha;
}

void DeisMultistepScheduler::first_order(int index, Latents sample) const {
  const auto from = level_at(index);
  const auto to = level_at(index + 1);
  const float growth = exp_float(lambda_at(index + 1) - lambda_at(index)) - 1.0F;
  mix({.alpha = to.alpha / from.alpha, .sigma = -(to.sigma * growth)}, sample, outputs()[0],
      sample);
}

void DeisMultistepScheduler::higher_order(int index, int order, Latents sample) const {
  const float t = rho_at(index + 1);
  const float s0 = rho_at(index);
  const float s1 = rho_at(index - 1);
  std::array<float, 3> weights{};
  if (order == 2) {
    weights = {integral(t, s0, s1) - integral(s0, s0, s1),
               integral(t, s1, s0) - integral(s0, s1, s0), 0.0F};
  } else {
    const float s2 = rho_at(index - 2);
    weights = {integral(t, s0, s1, s2) - integral(s0, s0, s1, s2),
               integral(t, s1, s2, s0) - integral(s0, s1, s2, s0),
               integral(t, s2, s0, s1) - integral(s0, s2, s0, s1)};
  }
  const float alpha_from = level_at(index).alpha;
  const float alpha_to = level_at(index + 1).alpha;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    float x = sample[i] / alpha_from;
    for (std::size_t j = 0; j < static_cast<std::size_t>(order); ++j) {
      x += weights[j] * outputs()[j][i];
    }
    sample[i] = alpha_to * x;
  }
}

}  // namespace

SchedulerResult make_deis_multistep(OptionReader& options) {
  constexpr Choice<int> kAlgorithms[] = {{"deis", 0}};
  constexpr Choice<int> kSolverTypes[] = {{"logrho", 0}};
  auto out = read_solver_options(options, {.can_rescale_zero_snr = false}, 3, true);
  out.spacing = read_spacing(options, TimestepSpacing::Linspace);
  options.choice("algorithm_type", 0, kAlgorithms);
  options.choice("solver_type", 0, kSolverTypes);
  if (out.flow.is_dynamic && out.flow.time_shift != TimeShift::Exponential) {
    options.refuse("time_shift_type", "exponential");
  }
  return finish_making<DeisMultistepScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
