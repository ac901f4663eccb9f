// DDPMScheduler, arXiv:2006.11239 formulas (6) and (7).
#include <algorithm>
#include <cmath>
#include <vector>

#include "diffusion/schedulers/alpha_scheduler.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"
#include "diffusion/schedulers/solver_scheduler.hpp"

namespace limner::schedulers {
namespace {

enum class VarianceType { FixedSmall, FixedSmallLog, FixedLarge, FixedLargeLog };

struct DdpmOptions {
  AlphaOptions common;
  SpacingOptions spacing;
  VarianceType variance_type = VarianceType::FixedSmall;
};

class DdpmScheduler final : public AlphaScheduler {
 public:
  explicit DdpmScheduler(DdpmOptions options)
      : AlphaScheduler(std::move(options.common)),
        spacing_(options.spacing),
        variance_type_(options.variance_type) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  float noise_scale(float alpha, float alpha_next) const;

  SpacingOptions spacing_;
  VarianceType variance_type_;
};

Result<void> DdpmScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request, num_train_timesteps()); !ok) return ok;
  return take_timesteps(
      rounded(spaced_timesteps(spacing_, num_train_timesteps(), request.num_inference_steps)));
}

float DdpmScheduler::noise_scale(float alpha, float alpha_next) const {
  const float beta = 1.0F - alpha / alpha_next;
  const float posterior = std::max((1.0F - alpha_next) / (1.0F - alpha) * beta, 1e-20F);
  switch (variance_type_) {
    case VarianceType::FixedSmall:
      break;
    case VarianceType::FixedSmallLog:
      return exp_float(0.5F * log_float(posterior));
    case VarianceType::FixedLarge:
      return std::sqrt(beta);
    case VarianceType::FixedLargeLog:
      return std::sqrt(log_float(beta));
  }
  return std::sqrt(posterior);
}

void DdpmScheduler::step(ConstLatents model_output, int index, Latents sample,
                         TorchGenerator& generator, const StepOptions& /*step_options*/) {
  const int timestep = timestep_at(index);
  const bool is_last = index + 1 == call_count();
  const float alpha = alpha_at(timestep);
  const float alpha_next = alpha_before(is_last ? -1 : timestep_at(index + 1));
  const float current_alpha = alpha / alpha_next;
  const float beta = 1.0F - alpha;
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  const float original_weight = std::sqrt(alpha_next) * (1.0F - current_alpha) / beta;
  const float sample_weight = std::sqrt(current_alpha) * (1.0F - alpha_next) / beta;
  mix({.alpha = original_weight, .sigma = sample_weight}, original, sample, sample);
  if (timestep <= 0) return;
  const float scale = noise_scale(alpha, alpha_next);
  std::vector<float> noise(sample.size());
  generator.randn(noise);
  for (std::size_t i = 0; i < sample.size(); ++i) sample[i] += scale * noise[i];
}

}  // namespace

SchedulerResult make_ddpm(OptionReader& options) {
  using enum VarianceType;
  // The learned ones need a network that predicts its variance, which no latent model does.
  constexpr Choice<VarianceType> kVarianceTypes[] = {{"fixed_small", FixedSmall},
                                                     {"fixed_small_log", FixedSmallLog},
                                                     {"fixed_large", FixedLarge},
                                                     {"fixed_large_log", FixedLargeLog}};
  DdpmOptions out;
  out.common.noise = read_noise_schedule(options, {.knows_laplace_and_sigmoid = true});
  out.common.prediction_type = read_prediction_type(options);
  read_thresholding(options, out.common.limits);
  read_clipping(options, true, out.common.limits);
  out.spacing = read_spacing(options, TimestepSpacing::Leading);
  // DPM-Solver files list null, which amounts to the default.
  if (!options.is_null("variance_type")) {
    out.variance_type = options.choice("variance_type", FixedSmall, kVarianceTypes);
  }
  return finish_making<DdpmScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
