// EulerDiscreteScheduler, arXiv:2206.00364 algorithm 2 without churn.
#include <cmath>
#include <vector>

#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_scheduler.hpp"

namespace limner::schedulers {
namespace {

enum class Interpolation { Linear, LogLinear };

struct EulerOptions {
  SigmaSchedulerOptions common;
  Interpolation interpolation = Interpolation::Linear;
  FinalSigma final_sigma = FinalSigma::Zero;
  bool has_continuous_timesteps = false;
};

class EulerDiscreteScheduler final : public SigmaScheduler {
 public:
  explicit EulerDiscreteScheduler(EulerOptions options)
      : SigmaScheduler(std::move(options.common)),
        interpolation_(options.interpolation),
        final_sigma_(options.final_sigma),
        has_continuous_timesteps_(options.has_continuous_timesteps) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  std::vector<double> log_linear_sigmas(int step_count) const;

  Interpolation interpolation_;
  FinalSigma final_sigma_;
  bool has_continuous_timesteps_;
};

Result<void> EulerDiscreteScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request); !ok) return ok;
  const int step_count = request.num_inference_steps;
  auto levels = make_levels(step_count);
  if (interpolation_ == Interpolation::LogLinear) {
    levels.sigmas = log_linear_sigmas(step_count);
    if (options().sigmas.spacing != SigmaSpacing::Default) {
      levels.sigmas =
          space_sigmas(options().sigmas, levels.sigmas.front(), levels.sigmas.back(), step_count);
      levels.timesteps = sigmas_to_timesteps(levels.sigmas, logarithms(table()));
    }
  }
  auto sigmas = to_float(levels.sigmas);
  auto timesteps = to_float(levels.timesteps);
  if (has_continuous_timesteps_) {
    timesteps = logarithms(sigmas);
    for (float& t : timesteps) t *= 0.25F;
  }
  sigmas.push_back(final_sigma_ == FinalSigma::Zero ? 0.0F : table().front());
  take(std::move(timesteps), std::move(sigmas));
  return {};
}

// One more than steps: the run ends at the smallest of these, not at the final sigma.
std::vector<double> EulerDiscreteScheduler::log_linear_sigmas(int step_count) const {
  auto sigmas = linspace(std::log(table().back()), std::log(table().front()), step_count + 1);
  for (double& sigma : sigmas) sigma = static_cast<float>(std::exp(sigma));
  return sigmas;
}

void EulerDiscreteScheduler::step(ConstLatents model_output, int index, Latents sample,
                                  TorchGenerator& /*generator*/,
                                  const StepOptions& /*step_options*/) {
  const float sigma = sigma_at(index);
  const float dt = sigma_at(index + 1) - sigma;
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const float derivative = (sample[i] - original[i]) / sigma;
    sample[i] = sample[i] + derivative * dt;
  }
}

}  // namespace

SchedulerResult make_euler_discrete(OptionReader& options) {
  constexpr Choice<Interpolation> kInterpolations[] = {{"linear", Interpolation::Linear},
                                                       {"log_linear", Interpolation::LogLinear}};
  constexpr Choice<bool> kTimestepTypes[] = {{"discrete", false}, {"continuous", true}};
  EulerOptions out;
  out.common.noise = read_noise_schedule(options, {.has_floor = true});
  out.common.prediction_type = read_prediction_type(options);
  out.common.spacing = read_spacing(options, TimestepSpacing::Linspace);
  out.common.sigmas = read_sigma_options(options);
  out.interpolation = options.choice("interpolation_type", Interpolation::Linear, kInterpolations);
  out.final_sigma = read_final_sigma(options);
  out.has_continuous_timesteps = options.choice("timestep_type", false, kTimestepTypes) &&
                                 out.common.prediction_type == PredictionType::VPrediction;
  return finish_making<EulerDiscreteScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
