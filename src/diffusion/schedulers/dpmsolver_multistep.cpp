// DPMSolverMultistepScheduler: each step looks back at up to two outputs.
#include <algorithm>
#include <cmath>
#include <vector>

#include "diffusion/schedulers/dpmsolver.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"

namespace limner::schedulers {
namespace {

struct MultistepOptions {
  DpmOptions dpm;
  bool euler_at_final = false;
  bool use_lu_lambdas = false;
};

class DpmSolverMultistepScheduler final : public DpmSolverScheduler {
 public:
  explicit DpmSolverMultistepScheduler(MultistepOptions options)
      : DpmSolverScheduler(std::move(options.dpm)),
        euler_at_final_(options.euler_at_final),
        use_lu_lambdas_(options.use_lu_lambdas) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  Levels make_lu_levels(int step_count) const;
  int order_at(int index) const;
  void second_order(int index, Latents sample) const;
  void third_order(int index, Latents sample) const;

  bool euler_at_final_;
  bool use_lu_lambdas_;
};

Result<void> DpmSolverMultistepScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request); !ok) return ok;
  const int step_count = request.num_inference_steps;
  const bool is_cosine = options().noise.beta_schedule == BetaSchedule::SquaredcosCapV2;
  if (options().sigmas.spacing == SigmaSpacing::Karras) {
    take(make_levels({}, step_count, !is_cosine), final_sigma());
  } else if (use_lu_lambdas_) {
    take(make_lu_levels(step_count), final_sigma());
  } else if (options().sigmas.spacing == SigmaSpacing::Default && options().use_flow_sigmas) {
    take(make_flow_levels(request), final_sigma());
  } else {
    const int train_steps = options().noise.num_train_timesteps;
    take(make_levels(solver_timesteps(options().spacing, train_steps, last_timestep(), step_count),
                     step_count, true),
         final_sigma());
  }
  return {};
}

// Levels evenly spaced in log sigma, arXiv:2206.00927.
SolverScheduler::Levels DpmSolverMultistepScheduler::make_lu_levels(int step_count) const {
  const auto log_sigmas = logarithms(table());
  Levels levels;
  levels.sigmas = linspace(0, 1, step_count);
  const double first = log_sigmas.back();
  const double last = log_sigmas.front();
  for (double& ramp : levels.sigmas) ramp = std::exp(first + ramp * (last - first));
  levels.timesteps = sigmas_to_timesteps(levels.sigmas, log_sigmas);
  if (options().noise.beta_schedule != BetaSchedule::SquaredcosCapV2) {
    levels.timesteps = rounded(std::move(levels.timesteps));
  }
  return levels;
}

int DpmSolverMultistepScheduler::order_at(int index) const {
  constexpr int kFewSteps = 15;  // where lower_order_final makes the end stable
  const int steps_left = call_count() - index;
  const bool is_lowered = options().lower_order_final && call_count() < kFewSteps;
  const bool is_first_order_at_end =
      euler_at_final_ || is_lowered || dpm().final_sigma == FinalSigma::Zero;
  if (steps_left == 1 && is_first_order_at_end) return 1;
  const int order = static_cast<int>(outputs().size());
  return steps_left == 2 && is_lowered ? std::min(order, 2) : order;
}

void DpmSolverMultistepScheduler::step(ConstLatents model_output, int index, Latents sample,
                                       TorchGenerator& generator,
                                       const StepOptions& /*step_options*/) {
  begin_step(model_output, index, sample, generator);
  switch (order_at(index)) {
    case 1:
      combine(weights(index, index + 1), outputs()[0], 0.0F, {}, {}, sample);
      return;
    case 2:
      second_order(index, sample);
      return;
    default:
      third_order(index, sample);
      return;
  }
}

void DpmSolverMultistepScheduler::second_order(int index, Latents sample) const {
  const auto w = weights(index, index + 1);
  const float h = lambda_at(index + 1) - lambda_at(index);
  const float r0 = (lambda_at(index) - lambda_at(index - 1)) / h;
  const auto d1 = scaled_difference(1.0F / r0, outputs()[0], outputs()[1]);
  const float d1_weight = dpm().solver_type == DpmSolverType::Midpoint ? w.d1_midpoint : w.d1_heun;
  combine(w, outputs()[0], d1_weight, d1, {}, sample);
}

void DpmSolverMultistepScheduler::third_order(int index, Latents sample) const {
  const auto w = weights(index, index + 1);
  const float h = lambda_at(index + 1) - lambda_at(index);
  const float r0 = (lambda_at(index) - lambda_at(index - 1)) / h;
  const float r1 = (lambda_at(index - 1) - lambda_at(index - 2)) / h;
  auto d1 = scaled_difference(1.0F / r0, outputs()[0], outputs()[1]);
  const auto d1_before = scaled_difference(1.0F / r1, outputs()[1], outputs()[2]);
  const auto d2 = scaled_difference(1.0F / (r0 + r1), d1, d1_before);
  const auto correction = scaled_difference(r0 / (r0 + r1), d1, d1_before);
  for (std::size_t i = 0; i < d1.size(); ++i) d1[i] += correction[i];
  combine(w, outputs()[0], w.d1_heun, d1, d2, sample);
}

}  // namespace

SchedulerResult make_dpmsolver_multistep(OptionReader& options) {
  MultistepOptions out;
  out.dpm = read_dpm_options(options, {.has_floor = true}, true);
  out.dpm.solver.spacing = read_spacing(options, TimestepSpacing::Linspace);
  out.euler_at_final = options.flag("euler_at_final", false);
  out.use_lu_lambdas = options.flag("use_lu_lambdas", false);
  if (out.dpm.algorithm == DpmAlgorithm::SdeDpmSolver && out.dpm.solver.solver_order == 3) {
    options.refuse("solver_order", "1 or 2 with sde-dpmsolver");
  }
  return finish_making<DpmSolverMultistepScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
