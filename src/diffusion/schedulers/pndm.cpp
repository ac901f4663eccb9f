// PNDMScheduler, arXiv:2202.09778: Runge-Kutta calls first unless skip_prk_steps, then the linear
// multistep rule.
#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "diffusion/schedulers/alpha_scheduler.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"

namespace limner::schedulers {
namespace {

constexpr int kOrder = 4;

struct PndmOptions {
  AlphaOptions common;
  SpacingOptions spacing;
  bool skip_prk_steps = false;
};

class PndmScheduler final : public AlphaScheduler {
 public:
  explicit PndmScheduler(PndmOptions options)
      : AlphaScheduler(std::move(options.common)),
        spacing_(options.spacing),
        skips_prk_(options.skip_prk_steps) {}

  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  std::vector<double> plms_timesteps(std::vector<double> falling) const;
  Result<std::vector<double>> prk_timesteps(const std::vector<double>& falling) const;
  void step_prk(ConstLatents model_output, int index, Latents sample);
  void step_plms(ConstLatents model_output, int index, Latents sample);
  std::vector<float> blended_outputs() const;
  void move(ConstLatents model_output, int timestep, int timestep_next, Latents sample) const;

  SpacingOptions spacing_;
  bool skips_prk_;
  int stride_ = 1;
  std::vector<int> prk_timesteps_;
  // The trajectory so far.
  int call_count_ = 0;
  std::deque<std::vector<float>> outputs_;  // the last four, newest last
  std::vector<float> blended_;              // of one Runge-Kutta step
  std::vector<float> start_sample_;         // where a step of several calls began
};

Result<void> PndmScheduler::set_timesteps(const ScheduleRequest& request) {
  if (auto ok = check_plain_request(request, num_train_timesteps()); !ok) return ok;
  stride_ = num_train_timesteps() / request.num_inference_steps;
  auto falling =
      rounded(spaced_timesteps(spacing_, num_train_timesteps(), request.num_inference_steps));
  prk_timesteps_.clear();
  call_count_ = 0;
  outputs_.clear();
  blended_.clear();
  start_sample_.clear();
  if (skips_prk_) return take_timesteps(plms_timesteps(std::move(falling)));
  auto timesteps = prk_timesteps(falling);
  if (!timesteps) return timesteps.error();
  prk_timesteps_.assign(timesteps->begin(), timesteps->end());
  timesteps->insert(timesteps->end(), falling.begin() + kOrder - 1, falling.end());
  return take_timesteps(*timesteps);
}

// The second timestep twice: the first step is corrected by its end.
std::vector<double> PndmScheduler::plms_timesteps(std::vector<double> falling) const {
  if (falling.size() > 1) falling.insert(falling.begin() + 1, falling[1]);
  return falling;
}

// Each of the first three steps is made of four calls: its start, its middle twice, its end.
Result<std::vector<double>> PndmScheduler::prk_timesteps(const std::vector<double>& falling) const {
  if (falling.size() < kOrder) {
    return invalid_value("num_inference_steps",
                         "num_inference_steps: PNDM without skip_prk_steps needs at least 4");
  }
  std::vector<double> timesteps;
  for (std::size_t i = 0; i + 1 < kOrder; ++i) {
    const double middle = falling[i + 1] + stride_ / 2;
    timesteps.insert(timesteps.end(), {falling[i], middle, middle, falling[i + 1]});
  }
  return timesteps;
}

void PndmScheduler::step(ConstLatents model_output, int index, Latents sample,
                         TorchGenerator& /*generator*/, const StepOptions& /*step_options*/) {
  if (call_count_ < static_cast<int>(prk_timesteps_.size())) {
    step_prk(model_output, index, sample);
  } else {
    step_plms(model_output, index, sample);
  }
  ++call_count_;
}

void PndmScheduler::step_prk(ConstLatents model_output, int index, Latents sample) {
  constexpr double kWeights[kOrder] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
  const int phase = call_count_ % kOrder;
  const int next = timestep_at(index) - (call_count_ % 2 == 0 ? stride_ / 2 : 0);
  const int timestep = prk_timesteps_.at(static_cast<std::size_t>(call_count_ - phase));
  if (phase == 0) {
    blended_.assign(sample.size(), 0.0F);
    outputs_.emplace_back(model_output.begin(), model_output.end());
    start_sample_.assign(sample.begin(), sample.end());
  }
  const auto weight = static_cast<float>(kWeights[phase]);
  for (std::size_t i = 0; i < sample.size(); ++i) blended_[i] += weight * model_output[i];
  std::ranges::copy(start_sample_, sample.begin());
  move(phase == kOrder - 1 ? ConstLatents(blended_) : model_output, timestep, next, sample);
}

void PndmScheduler::step_plms(ConstLatents model_output, int index, Latents sample) {
  const int timestep = timestep_at(index);
  if (call_count_ != 1) {
    if (outputs_.size() == kOrder) outputs_.pop_front();
    outputs_.emplace_back(model_output.begin(), model_output.end());
    if (call_count_ == 0) start_sample_.assign(sample.begin(), sample.end());
    move(blended_outputs(), timestep, timestep - stride_, sample);
    return;
  }
  // The second call makes the first step again, with the mean of both outputs.
  std::vector<float> mean(model_output.begin(), model_output.end());
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = (mean[i] + outputs_.back()[i]) / 2.0F;
  std::ranges::copy(start_sample_, sample.begin());
  move(mean, timestep + stride_, timestep, sample);
}

// Adams-Bashforth of as many outputs as there are.
std::vector<float> PndmScheduler::blended_outputs() const {
  const std::size_t count = outputs_.size();
  std::vector<float> out(outputs_.back());
  const auto past = [&](std::size_t back, std::size_t i) { return outputs_[count - 1 - back][i]; };
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (count == 2) out[i] = (3.0F * past(0, i) - past(1, i)) / 2.0F;
    if (count == 3) {
      out[i] = (23.0F * past(0, i) - 16.0F * past(1, i) + 5.0F * past(2, i)) / 12.0F;
    }
    if (count >= 4) {
      out[i] = static_cast<float>(1.0 / 24) *
               (55.0F * past(0, i) - 59.0F * past(1, i) + 37.0F * past(2, i) - 9.0F * past(3, i));
    }
  }
  return out;
}

// Formula (9) of the paper.
void PndmScheduler::move(ConstLatents model_output, int timestep, int timestep_next,
                         Latents sample) const {
  const float alpha = alpha_at(timestep);
  const float alpha_next = alpha_before(timestep_next);
  const float beta = 1.0F - alpha;
  const float sample_scale = std::sqrt(alpha_next / alpha);
  const float denominator =
      alpha * std::sqrt(1.0F - alpha_next) + std::sqrt(alpha * beta * alpha_next);
  std::vector<float> epsilon(sample.size());
  epsilon_from(options().prediction_type, level_of(alpha), model_output, sample, epsilon);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    sample[i] = sample_scale * sample[i] - (alpha_next - alpha) * epsilon[i] / denominator;
  }
}

}  // namespace

SchedulerResult make_pndm(OptionReader& options) {
  PndmOptions out;
  out.common.noise = read_noise_schedule(options, {.can_rescale_zero_snr = false});
  out.common.prediction_type = read_prediction_type(options, {.sample = false});
  out.common.set_alpha_to_one = options.flag("set_alpha_to_one", false);
  out.spacing = read_spacing(options, TimestepSpacing::Leading);
  out.skip_prk_steps = options.flag("skip_prk_steps", false);
  return finish_making<PndmScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
