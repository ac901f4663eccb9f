// LMSDiscreteScheduler: the integral of a polynomial through the last derivatives.
#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_scheduler.hpp"

namespace limner::schedulers {
namespace {

constexpr int kOrderMax = 4;

class LmsDiscreteScheduler final : public SigmaScheduler {
 public:
  explicit LmsDiscreteScheduler(SigmaSchedulerOptions options)
      : SigmaScheduler(std::move(options)) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  float coefficient(int order, int index, int which) const;

  std::deque<std::vector<float>> derivatives_;  // newest first
};

Result<void> LmsDiscreteScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request); !ok) return ok;
  const auto levels = make_levels(request.num_inference_steps);
  auto sigmas = to_float(levels.sigmas);
  sigmas.push_back(0.0F);
  take(to_float(levels.timesteps), std::move(sigmas));
  derivatives_.clear();
  return {};
}

// The integral from this sigma to the next of the Lagrange polynomial that is 1 at the sigma
// `which` calls ago and 0 at the other order - 1. Two Gauss points are exact for its degree ≤ 3.
float LmsDiscreteScheduler::coefficient(int order, int index, int which) const {
  const double start = sigma_at(index);
  const double half = (sigma_at(index + 1) - start) / 2;
  double integral = 0;
  for (const double node : {-1 / std::sqrt(3.0), 1 / std::sqrt(3.0)}) {
    const double tau = start + half * (1 + node);
    double product = 1;
    for (int k = 0; k < order; ++k) {
      if (k == which) continue;
      const double sigma = sigma_at(index - k);
      product *= (tau - sigma) / (sigma_at(index - which) - sigma);
    }
    integral += product;
  }
  return static_cast<float>(integral * half);
}

void LmsDiscreteScheduler::step(ConstLatents model_output, int index, Latents sample,
                                TorchGenerator& /*generator*/,
                                const StepOptions& /*step_options*/) {
  const float sigma = sigma_at(index);
  std::vector<float> derivative(sample.size());
  predict_original(model_output, index, sample, derivative);
  for (std::size_t i = 0; i < sample.size(); ++i)
    derivative[i] = (sample[i] - derivative[i]) / sigma;
  derivatives_.push_front(std::move(derivative));
  if (derivatives_.size() > kOrderMax) derivatives_.pop_back();

  // A run that begins inside the schedule has fewer derivatives than the order it reckons with.
  const int order = std::min(index + 1, kOrderMax);
  std::vector<float> sum(sample.size(), 0.0F);
  for (std::size_t j = 0; j < derivatives_.size(); ++j) {
    const float weight = coefficient(order, index, static_cast<int>(j));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * derivatives_[j][i];
  }
  for (std::size_t i = 0; i < sample.size(); ++i) sample[i] += sum[i];
}

}  // namespace

SchedulerResult make_lms_discrete(OptionReader& options) {
  SigmaSchedulerOptions out;
  out.noise = read_noise_schedule(options, {.can_rescale_zero_snr = false});
  out.prediction_type = read_prediction_type(options);
  out.spacing = read_spacing(options, TimestepSpacing::Linspace);
  out.sigmas = read_sigma_options(options);
  if (out.sigmas.spacing == SigmaSpacing::Karras) {
    // Its Karras spacing alone looks past sigma_min and sigma_max.
    out.sigmas.sigma_min.reset();
    out.sigmas.sigma_max.reset();
  }
  return finish_making<LmsDiscreteScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
