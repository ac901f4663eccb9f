// What the flow-matching schedulers share: x_t = (1 - sigma) * x_0 + sigma * noise, an output that
// is the velocity noise - x_0, timesteps that are sigma * num_train_timesteps.
#pragma once

#include <utility>
#include <vector>

#include "diffusion/schedulers/flow_shift.hpp"
#include "diffusion/schedulers/prediction.hpp"
#include "diffusion/schedulers/scheduler.hpp"

namespace limner::schedulers {

class FlowScheduler : public Scheduler {
 public:
  std::span<const float> timesteps() const override { return timesteps_; }
  std::span<const float> sigmas() const override { return sigmas_; }
  float init_noise_sigma() const override { return 1.0F; }
  void scale_model_input(ConstLatents sample, int index, Latents scaled) override;
  void predict_original(ConstLatents model_output, int index, ConstLatents sample,
                        Latents original) const override;
  void add_noise(ConstLatents original, ConstLatents noise, int index,
                 Latents noisy) const override;

 protected:
  // Levels evenly spaced between the ends of the (shifted) training levels; not yet shifted again.
  static std::vector<double> default_sigmas(const FlowShift& flow, int num_train_timesteps,
                                            int step_count);

  void take(std::vector<float> timesteps, std::vector<float> sigmas);
  float sigma_at(int index) const { return sigmas_.at(static_cast<std::size_t>(index)); }

 private:
  std::vector<float> timesteps_;
  std::vector<float> sigmas_;
};

}  // namespace limner::schedulers
