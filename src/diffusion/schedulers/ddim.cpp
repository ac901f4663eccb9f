// DDIMScheduler, arXiv:2010.02502 formulas (12) and (16).
#include <cmath>
#include <vector>

#include "diffusion/schedulers/alpha_scheduler.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"

namespace limner::schedulers {
namespace {

struct DdimOptions {
  AlphaOptions common;
  SpacingOptions spacing;
};

class DdimScheduler final : public AlphaScheduler {
 public:
  explicit DdimScheduler(DdimOptions options)
      : AlphaScheduler(std::move(options.common)), spacing_(options.spacing) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  SpacingOptions spacing_;
  int timestep_stride_ = 1;
};

Result<void> DdimScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request, num_train_timesteps()); !ok) return ok;
  timestep_stride_ = num_train_timesteps() / request.num_inference_steps;
  return take_timesteps(
      rounded(spaced_timesteps(spacing_, num_train_timesteps(), request.num_inference_steps)));
}

void DdimScheduler::step(ConstLatents model_output, int index, Latents sample,
                         TorchGenerator& generator, const StepOptions& step_options) {
  const int timestep = timestep_at(index);
  const float alpha = alpha_at(timestep);
  const float alpha_next = alpha_before(timestep - timestep_stride_);
  const float variance = (1.0F - alpha_next) / (1.0F - alpha) * (1.0F - alpha / alpha_next);
  const float deviation = static_cast<float>(step_options.eta) * std::sqrt(variance);

  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  std::vector<float> epsilon(sample.size());
  epsilon_from(options().prediction_type, level_of(alpha), model_output, sample, epsilon);
  // The direction that points to x_t shares its variance with the fresh noise.
  const NoiseLevel next{.alpha = std::sqrt(alpha_next),
                        .sigma = std::sqrt(1.0F - alpha_next - deviation * deviation)};
  mix(next, original, epsilon, sample);
  if (step_options.eta <= 0) return;
  std::vector<float> noise(sample.size());
  generator.randn(noise);
  for (std::size_t i = 0; i < sample.size(); ++i) sample[i] += deviation * noise[i];
}

}  // namespace

SchedulerResult make_ddim(OptionReader& options) {
  DdimOptions out;
  out.common.noise = read_noise_schedule(options, {});
  out.common.prediction_type = read_prediction_type(options);
  read_thresholding(options, out.common.limits);
  read_clipping(options, true, out.common.limits);
  out.common.set_alpha_to_one = options.flag("set_alpha_to_one", true);
  out.spacing = read_spacing(options, TimestepSpacing::Leading);
  return finish_making<DdimScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
