// What the schedulers that think in sigmas share (Euler, Euler ancestral, Heun, LMS, DPM SDE):
// x_t = x_0 + sigma * noise, an input scaled by 1 / sqrt(sigma^2 + 1).
#pragma once

#include <utility>
#include <vector>

#include "diffusion/schedulers/noise_schedule.hpp"
#include "diffusion/schedulers/prediction.hpp"
#include "diffusion/schedulers/scheduler.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"

namespace limner::schedulers {

struct SigmaSchedulerOptions {
  NoiseSchedule noise;
  PredictionType prediction_type = PredictionType::Epsilon;
  SpacingOptions spacing;
  SigmaOptions sigmas;
};

class SigmaScheduler : public Scheduler {
 public:
  std::span<const float> timesteps() const override { return timesteps_; }
  std::span<const float> sigmas() const override { return sigmas_; }
  float init_noise_sigma() const override;
  void scale_model_input(ConstLatents sample, int index, Latents scaled) override;
  void predict_original(ConstLatents model_output, int index, ConstLatents sample,
                        Latents original) const override;
  void add_noise(ConstLatents original, ConstLatents noise, int index,
                 Latents noisy) const override;

 protected:
  // One noise level per step, without the last; timesteps as the network wants them.
  struct Levels {
    std::vector<double> timesteps;
    std::vector<double> sigmas;
  };

  explicit SigmaScheduler(SigmaSchedulerOptions options)
      : options_(std::move(options)), table_(options_.noise.sigmas()) {}

  // Sigmas looked up at the run's timesteps, then spaced as the options say.
  Levels make_levels(int step_count) const;
  void take(std::vector<float> timesteps, std::vector<float> sigmas);
  float sigma_at(int index) const { return sigmas_.at(static_cast<std::size_t>(index)); }
  // The sigma that the network's output at this call belongs to.
  virtual float input_sigma(int index) const { return sigma_at(index); }

  const SigmaSchedulerOptions& options() const { return options_; }
  std::span<const float> table() const { return table_; }

 private:
  SigmaSchedulerOptions options_;
  std::vector<float> table_;  // of every training step, rising
  std::vector<float> timesteps_;
  std::vector<float> sigmas_;
};

// Each level twice but the first and the last: the second-order schedulers' two calls a step.
std::vector<float> doubled_inside(std::span<const float> levels);
// Each twice but the first.
std::vector<float> doubled_after_first(std::span<const float> values);

}  // namespace limner::schedulers
