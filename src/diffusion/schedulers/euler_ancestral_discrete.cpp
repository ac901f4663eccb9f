// EulerAncestralDiscreteScheduler: a longer Euler step, then fresh noise back up.
#include <cmath>
#include <vector>

#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_scheduler.hpp"

namespace limner::schedulers {
namespace {

class EulerAncestralDiscreteScheduler final : public SigmaScheduler {
 public:
  explicit EulerAncestralDiscreteScheduler(SigmaSchedulerOptions options)
      : SigmaScheduler(std::move(options)) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;
};

Result<void> EulerAncestralDiscreteScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request); !ok) return ok;
  const auto levels = make_levels(request.num_inference_steps);
  auto sigmas = to_float(levels.sigmas);
  sigmas.push_back(0.0F);
  take(to_float(levels.timesteps), std::move(sigmas));
  return {};
}

void EulerAncestralDiscreteScheduler::step(ConstLatents model_output, int index, Latents sample,
                                           TorchGenerator& generator,
                                           const StepOptions& /*step_options*/) {
  const float from = sigma_at(index);
  const float to = sigma_at(index + 1);
  const float up = std::sqrt(to * to * (from * from - to * to) / (from * from));
  const float down = std::sqrt(to * to - up * up);
  const float dt = down - from;
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  std::vector<float> noise(sample.size());
  generator.randn(noise);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const float derivative = (sample[i] - original[i]) / from;
    sample[i] = sample[i] + derivative * dt + noise[i] * up;
  }
}

}  // namespace

SchedulerResult make_euler_ancestral_discrete(OptionReader& options) {
  SigmaSchedulerOptions out;
  out.noise = read_noise_schedule(options, {.has_floor = true});
  out.prediction_type = read_prediction_type(options, {.sample = false});
  out.spacing = read_spacing(options, TimestepSpacing::Linspace);
  return finish_making<EulerAncestralDiscreteScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
