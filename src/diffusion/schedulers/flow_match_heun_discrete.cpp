// FlowMatchHeunDiscreteScheduler: an Euler call along the velocity, then one that corrects it.
#include <vector>

#include "diffusion/schedulers/flow_scheduler.hpp"
#include "diffusion/schedulers/heun_step.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_scheduler.hpp"

namespace limner::schedulers {
namespace {

struct FlowMatchHeunOptions {
  int num_train_timesteps = 1000;
  FlowShift flow;
};

class FlowMatchHeunDiscreteScheduler final : public FlowScheduler {
 public:
  explicit FlowMatchHeunDiscreteScheduler(FlowMatchHeunOptions options)
      : options_(std::move(options)) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  int order() const override { return 2; }
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  FlowMatchHeunOptions options_;
  HeunStep heun_;
};

Result<void> FlowMatchHeunDiscreteScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request); !ok) return ok;
  const int train_steps = options_.num_train_timesteps;
  auto sigmas = to_float(options_.flow.apply(
      default_sigmas(options_.flow, train_steps, request.num_inference_steps), 0, false));
  std::vector<float> timesteps;
  for (const float sigma : sigmas) timesteps.push_back(sigma * static_cast<float>(train_steps));
  sigmas.push_back(0.0F);
  take(doubled_after_first(timesteps), doubled_inside(sigmas));
  heun_.reset();
  return {};
}

void FlowMatchHeunDiscreteScheduler::step(ConstLatents model_output, int index, Latents sample,
                                          TorchGenerator& /*generator*/,
                                          const StepOptions& /*step_options*/) {
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  heun_.take(original, sigma_at(index), sigma_at(index + 1), sample);
}

}  // namespace

SchedulerResult make_flow_match_heun_discrete(OptionReader& options) {
  FlowMatchHeunOptions out;
  out.num_train_timesteps = options.integer("num_train_timesteps", 1000, 2, 100'000);
  // Its shift is never dynamic, whatever a file for another class lists.
  out.flow.shift = options.number("shift", 1.0);
  if (!(out.flow.shift > 0 && out.flow.shift < 1e6)) options.refuse("shift", "a number above 0");
  return finish_making<FlowMatchHeunDiscreteScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
