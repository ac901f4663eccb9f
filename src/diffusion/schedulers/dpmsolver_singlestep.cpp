// DPMSolverSinglestepScheduler: steps in groups of solver_order calls, each group from one start.
#include <algorithm>
#include <vector>

#include "diffusion/schedulers/dpmsolver.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"

namespace limner::schedulers {
namespace {

class DpmSolverSinglestepScheduler final : public DpmSolverScheduler {
 public:
  explicit DpmSolverSinglestepScheduler(DpmOptions options)
      : DpmSolverScheduler(std::move(options)) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  std::vector<int> order_list(int step_count);
  void second_order(int index, Latents sample) const;
  void third_order(int index, Latents sample) const;

  // Once a step count asked for it, it stays.
  bool has_lower_order_final_ = options().lower_order_final;
  std::vector<int> orders_;          // of each call
  std::vector<float> group_sample_;  // where the group began
};

Result<void> DpmSolverSinglestepScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request); !ok) return ok;
  const int step_count = request.num_inference_steps;
  if (options().sigmas.spacing == SigmaSpacing::Default && options().use_flow_sigmas) {
    take(make_flow_levels(request), final_sigma());
  } else {
    const SpacingOptions linspace_only{.spacing = TimestepSpacing::Linspace};
    take(make_levels(solver_timesteps(linspace_only, options().noise.num_train_timesteps,
                                      last_timestep(), step_count),
                     step_count, true),
         final_sigma());
  }
  orders_ = order_list(step_count);
  group_sample_.clear();
  return {};
}

// 1, 2, …, solver_order and again; the last calls are of lower order where that is asked for.
std::vector<int> DpmSolverSinglestepScheduler::order_list(int step_count) {
  const int order = options().solver_order;
  if (step_count % order != 0 || dpm().final_sigma == FinalSigma::Zero) {
    has_lower_order_final_ = true;
  }
  std::vector<int> orders;
  for (int i = 0; i < step_count; ++i) orders.push_back(i % order + 1);
  if (has_lower_order_final_ && step_count % order == 0) orders.back() = 1;
  if (dpm().final_sigma == FinalSigma::Zero) orders.back() = 1;
  return orders;
}

void DpmSolverSinglestepScheduler::step(ConstLatents model_output, int index, Latents sample,
                                        TorchGenerator& generator,
                                        const StepOptions& /*step_options*/) {
  begin_step(model_output, index, sample, generator);
  // A run that begins inside a group lacks the outputs of its start.
  const int order =
      std::min(orders_.at(static_cast<std::size_t>(index)), static_cast<int>(outputs().size()));
  if (order == 1) {
    group_sample_.assign(sample.begin(), sample.end());
    combine(weights(index, index + 1), outputs()[0], 0.0F, {}, {}, sample);
    return;
  }
  std::ranges::copy(group_sample_, sample.begin());
  order == 2 ? second_order(index, sample) : third_order(index, sample);
}

void DpmSolverSinglestepScheduler::second_order(int index, Latents sample) const {
  const int start = index - 1;
  const auto w = weights(start, index + 1);
  const float h = lambda_at(index + 1) - lambda_at(start);
  const float r0 = (lambda_at(index) - lambda_at(start)) / h;
  const auto d1 = scaled_difference(1.0F / r0, outputs()[0], outputs()[1]);
  const float d1_weight = dpm().solver_type == DpmSolverType::Midpoint ? w.d1_midpoint : w.d1_heun;
  combine(w, outputs()[1], d1_weight, d1, {}, sample);
}

void DpmSolverSinglestepScheduler::third_order(int index, Latents sample) const {
  const int start = index - 2;
  const auto w = weights(start, index + 1);
  const float h = lambda_at(index + 1) - lambda_at(start);
  const float r0 = (lambda_at(index) - lambda_at(start)) / h;
  const float r1 = (lambda_at(index - 1) - lambda_at(start)) / h;
  const auto& at_start = outputs()[2];
  const auto near = scaled_difference(1.0F / r1, outputs()[1], at_start);
  const auto far = scaled_difference(1.0F / r0, outputs()[0], at_start);
  if (dpm().solver_type == DpmSolverType::Midpoint) {
    combine(w, at_start, w.d1_heun, far, {}, sample);
    return;
  }
  std::vector<float> d1(sample.size());
  std::vector<float> d2(sample.size());
  for (std::size_t i = 0; i < d1.size(); ++i) {
    d1[i] = (r0 * near[i] - r1 * far[i]) / (r0 - r1);
    d2[i] = 2.0F * (far[i] - near[i]) / (r0 - r1);
  }
  combine(w, at_start, w.d1_heun, d1, d2, sample);
}

}  // namespace

SchedulerResult make_dpmsolver_singlestep(OptionReader& options) {
  auto out = read_dpm_options(options, {.can_rescale_zero_snr = false}, false);
  if (out.algorithm == DpmAlgorithm::SdeDpmSolver) {
    options.refuse("algorithm_type", "dpmsolver, dpmsolver++ or sde-dpmsolver++");
  }
  if (!out.predicts_original() && out.solver.limits.thresholding) {
    options.refuse("thresholding", "false with algorithm_type dpmsolver");
  }
  return finish_making<DpmSolverSinglestepScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
