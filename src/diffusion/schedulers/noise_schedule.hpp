// The training noise of a model: betas and their cumulative products, as torch makes them.
#pragma once

#include <vector>

#include "diffusion/schedulers/options.hpp"

namespace limner::schedulers {

enum class BetaSchedule { Linear, ScaledLinear, SquaredcosCapV2, Exp, Laplace, Sigmoid };

// What differs among the classes.
struct NoiseScheduleTraits {
  double beta_start = 0.0001;
  double beta_end = 0.02;
  BetaSchedule beta_schedule = BetaSchedule::Linear;
  bool can_rescale_zero_snr = true;
  // Sigma-space classes keep the last alpha away from zero, where sigma would be infinite.
  bool has_floor = false;
  bool knows_exp = false;                  // heun
  bool knows_laplace_and_sigmoid = false;  // ddpm
};

struct NoiseSchedule {
  int num_train_timesteps = 1000;
  BetaSchedule beta_schedule = BetaSchedule::Linear;
  std::vector<float> alphas_cumprod;  // [num_train_timesteps], falling

  // sqrt((1 - a) / a) of every training step, rising.
  std::vector<float> sigmas() const;
};

NoiseSchedule read_noise_schedule(OptionReader& options, const NoiseScheduleTraits& traits);

}  // namespace limner::schedulers
