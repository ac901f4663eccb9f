// What the solvers in log-SNR share (DPM-Solver, DEIS, UniPC): x_t = alpha * x_0 + sigma * epsilon,
// alpha and sigma made from one noise level; integer timesteps; an input that needs no scaling.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "diffusion/schedulers/flow_shift.hpp"
#include "diffusion/schedulers/noise_schedule.hpp"
#include "diffusion/schedulers/prediction.hpp"
#include "diffusion/schedulers/scheduler.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"

namespace limner::schedulers {

struct SolverOptions {
  NoiseSchedule noise;
  PredictionType prediction_type = PredictionType::Epsilon;
  OriginalLimits limits;
  SpacingOptions spacing;
  SigmaOptions sigmas;
  bool use_flow_sigmas = false;
  FlowShift flow;
  int solver_order = 2;
  bool lower_order_final = true;
};

// Every option above but the spacing; each class knows all of them.
SolverOptions read_solver_options(OptionReader& options, const NoiseScheduleTraits& traits,
                                  int solver_order_max, bool lower_order_final);

class SolverScheduler : public Scheduler {
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
  // One noise level per step, without the last.
  struct Levels {
    std::vector<double> timesteps;
    std::vector<double> sigmas;
  };

  explicit SolverScheduler(SolverOptions options)
      : options_(std::move(options)), table_(options_.noise.sigmas()) {}

  // Sigmas at these timesteps, or spaced as the options say.
  Levels make_levels(std::vector<double> timesteps, int step_count, bool rounds_karras) const;
  // The levels of a flow model as DPM-Solver and DEIS make them.
  Levels make_flow_levels(const ScheduleRequest& request) const;
  // Starts a trajectory. Timesteps lose their fraction, as in diffusers.
  void take(Levels levels, double final_sigma);

  float sigma_at(int index) const { return sigmas_.at(static_cast<std::size_t>(index)); }
  NoiseLevel level_at(int index) const;
  float lambda_at(int index) const;  // log(alpha / sigma)
  int call_count() const { return static_cast<int>(timesteps_.size()); }
  // The noise that the network's output stands for.
  std::vector<float> epsilon_at(ConstLatents model_output, int index, ConstLatents sample) const;

  // The converted outputs of this trajectory, newest first, solver_order at most.
  void remember(std::vector<float> output);
  const std::deque<std::vector<float>>& outputs() const { return outputs_; }

  const SolverOptions& options() const { return options_; }
  std::span<const float> table() const { return table_; }

 private:
  SolverOptions options_;
  std::vector<float> table_;  // sigmas of every training step, rising
  std::vector<float> timesteps_;
  std::vector<float> sigmas_;
  std::deque<std::vector<float>> outputs_;
};

float exp_float(float x);
float log_float(float x);

}  // namespace limner::schedulers
