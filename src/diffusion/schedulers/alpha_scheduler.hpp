// What the schedulers that think in cumulative alphas share (DDIM, DDPM, PNDM, LCM, TCD): integer
// timesteps, x_t = sqrt(a) * x_0 + sqrt(1 - a) * noise, an input that needs no scaling.
#pragma once

#include <utility>
#include <vector>

#include "diffusion/schedulers/noise_schedule.hpp"
#include "diffusion/schedulers/prediction.hpp"
#include "diffusion/schedulers/scheduler.hpp"

namespace limner::schedulers {

struct AlphaOptions {
  NoiseSchedule noise;
  PredictionType prediction_type = PredictionType::Epsilon;
  OriginalLimits limits;
  bool set_alpha_to_one = true;
};

class AlphaScheduler : public Scheduler {
 public:
  std::span<const float> timesteps() const override { return timesteps_; }
  float init_noise_sigma() const override { return 1.0F; }
  void scale_model_input(ConstLatents sample, int index, Latents scaled) override;
  void predict_original(ConstLatents model_output, int index, ConstLatents sample,
                        Latents original) const override;
  void add_noise(ConstLatents original, ConstLatents noise, int index,
                 Latents noisy) const override;

 protected:
  explicit AlphaScheduler(AlphaOptions options) : options_(std::move(options)) {}

  // Refuses a timestep past the training range, which a large steps_offset can give.
  Result<void> take_timesteps(std::span<const double> timesteps);
  int timestep_at(int index) const;
  int call_count() const { return static_cast<int>(timesteps_.size()); }
  int num_train_timesteps() const { return options_.noise.num_train_timesteps; }
  // Of a timestep that a schedule holds; -1 counts from the end, as in torch.
  float alpha_at(int timestep) const;
  // Of the timestep to come, where a negative one stands for the finished picture.
  float alpha_before(int timestep) const;
  NoiseLevel level_at(int timestep) const;

  const AlphaOptions& options() const { return options_; }

 private:
  AlphaOptions options_;
  std::vector<float> timesteps_;
};

// sqrt(alpha) and sqrt(1 - alpha).
NoiseLevel level_of(float alpha_cumprod);

}  // namespace limner::schedulers
