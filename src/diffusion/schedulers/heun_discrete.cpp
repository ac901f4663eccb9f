// HeunDiscreteScheduler, arXiv:2206.00364 algorithm 1: an Euler call, then one that corrects it.
#include <vector>

#include "diffusion/schedulers/heun_step.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_scheduler.hpp"

namespace limner::schedulers {
namespace {

struct HeunOptions {
  SigmaSchedulerOptions common;
  OriginalLimits limits;
};

class HeunDiscreteScheduler final : public SigmaScheduler {
 public:
  explicit HeunDiscreteScheduler(HeunOptions options)
      : SigmaScheduler(std::move(options.common)), limits_(options.limits) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  int order() const override { return 2; }
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;
  void predict_original(ConstLatents model_output, int index, ConstLatents sample,
                        Latents original) const override;

 private:
  OriginalLimits limits_;
  HeunStep heun_;
};

Result<void> HeunDiscreteScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request); !ok) return ok;
  const auto levels = make_levels(request.num_inference_steps);
  auto sigmas = to_float(levels.sigmas);
  sigmas.push_back(0.0F);
  take(doubled_after_first(to_float(levels.timesteps)), doubled_inside(sigmas));
  heun_.reset();
  return {};
}

void HeunDiscreteScheduler::predict_original(ConstLatents model_output, int index,
                                             ConstLatents sample, Latents original) const {
  SigmaScheduler::predict_original(model_output, index, sample, original);
  limits_.apply(original);
}

void HeunDiscreteScheduler::step(ConstLatents model_output, int index, Latents sample,
                                 TorchGenerator& /*generator*/,
                                 const StepOptions& /*step_options*/) {
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  heun_.take(original, sigma_at(index), sigma_at(index + 1), sample);
}

}  // namespace

SchedulerResult make_heun_discrete(OptionReader& options) {
  HeunOptions out;
  out.common.noise = read_noise_schedule(
      options,
      {.beta_start = 0.00085, .beta_end = 0.012, .can_rescale_zero_snr = false, .knows_exp = true});
  out.common.prediction_type = read_prediction_type(options);
  out.common.spacing = read_spacing(options, TimestepSpacing::Linspace);
  out.common.sigmas = read_sigma_options(options);
  read_clipping(options, false, out.limits);
  return finish_making<HeunDiscreteScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
