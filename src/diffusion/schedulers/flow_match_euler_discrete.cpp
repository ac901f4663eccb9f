// FlowMatchEulerDiscreteScheduler: straight Euler steps along the velocity (SD3, FLUX).
#include <vector>

#include "diffusion/schedulers/flow_scheduler.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"

namespace limner::schedulers {
namespace {

struct FlowMatchEulerOptions {
  int num_train_timesteps = 1000;
  FlowShift flow;
  SigmaOptions sigmas;
  bool invert_sigmas = false;
  bool stochastic_sampling = false;
};

class FlowMatchEulerDiscreteScheduler final : public FlowScheduler {
 public:
  explicit FlowMatchEulerDiscreteScheduler(FlowMatchEulerOptions options)
      : options_(std::move(options)) {}

  bool takes_sigmas() const override { return true; }
  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  FlowMatchEulerOptions options_;
};

Result<void> FlowMatchEulerDiscreteScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_sigmas(request); !ok) return ok;
  if (auto ok = check_image_sequence_length(options_.flow, request); !ok) return ok;
  const bool is_explicit = !request.sigmas.empty();
  const int train_steps = options_.num_train_timesteps;
  auto levels = request.sigmas;
  if (is_explicit) {
    for (double& level : levels) level = static_cast<float>(level);
  } else {
    levels = default_sigmas(options_.flow, train_steps, request.num_inference_steps);
  }
  levels = options_.flow.apply(std::move(levels), request.image_sequence_length, is_explicit);
  if (options_.sigmas.spacing != SigmaSpacing::Default) {
    levels =
        space_sigmas(options_.sigmas, levels.front(), levels.back(), request.num_inference_steps);
  }
  auto sigmas = to_float(levels);
  std::vector<float> timesteps;
  for (float& sigma : sigmas) {
    if (options_.invert_sigmas) sigma = 1.0F - sigma;
    timesteps.push_back(sigma * static_cast<float>(train_steps));
  }
  sigmas.push_back(options_.invert_sigmas ? 1.0F : 0.0F);
  take(std::move(timesteps), std::move(sigmas));
  return {};
}

void FlowMatchEulerDiscreteScheduler::step(ConstLatents model_output, int index, Latents sample,
                                           TorchGenerator& generator,
                                           const StepOptions& /*step_options*/) {
  const float next = sigma_at(index + 1);
  if (!options_.stochastic_sampling) {
    mix({.alpha = 1.0F, .sigma = next - sigma_at(index)}, sample, model_output, sample);
    return;
  }
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  std::vector<float> noise(sample.size());
  generator.randn(noise);
  mix({.alpha = 1.0F - next, .sigma = next}, original, noise, sample);
}

}  // namespace

SchedulerResult make_flow_match_euler_discrete(OptionReader& options) {
  FlowMatchEulerOptions out;
  out.num_train_timesteps = options.integer("num_train_timesteps", 1000, 2, 100'000);
  out.flow = read_flow_shift(options, "shift");
  read_shift_terminal(options, out.flow);
  out.sigmas = read_sigma_options(options);
  out.invert_sigmas = options.flag("invert_sigmas", false);
  out.stochastic_sampling = options.flag("stochastic_sampling", false);
  return finish_making<FlowMatchEulerDiscreteScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
