// The coefficients of DPM-Solver (arXiv:2206.00927) and DPM-Solver++ (arXiv:2211.01095), which the
// multistep and the singlestep scheduler weigh the same way.
#pragma once

#include "diffusion/schedulers/options.hpp"
#include "diffusion/schedulers/prediction.hpp"
#include "diffusion/schedulers/solver_scheduler.hpp"

namespace limner::schedulers {

enum class DpmAlgorithm { DpmSolver, DpmSolverPP, SdeDpmSolver, SdeDpmSolverPP };
enum class DpmSolverType { Midpoint, Heun };

struct DpmOptions {
  SolverOptions solver;
  DpmAlgorithm algorithm = DpmAlgorithm::DpmSolverPP;
  DpmSolverType solver_type = DpmSolverType::Midpoint;
  FinalSigma final_sigma = FinalSigma::Zero;
  double lambda_min_clipped = 0;  // minus infinity: not clipped

  bool predicts_original() const {
    return algorithm == DpmAlgorithm::DpmSolverPP || algorithm == DpmAlgorithm::SdeDpmSolverPP;
  }
  bool draws_noise() const {
    return algorithm == DpmAlgorithm::SdeDpmSolver || algorithm == DpmAlgorithm::SdeDpmSolverPP;
  }
};

// All but the timestep spacing.
DpmOptions read_dpm_options(OptionReader& options, const NoiseScheduleTraits& traits,
                            bool lower_order_final);

// x_t = sample * x + d0 * D0 + d1 * D1 + d2 * D2 + noise * z, where D0 is a converted output and
// D1 and D2 its finite differences.
struct DpmWeights {
  float sample = 0.0F;
  float d0 = 0.0F;
  float d1_midpoint = 0.0F;
  float d1_heun = 0.0F;  // also that of the third order
  float d2 = 0.0F;
  float noise = 0.0F;
};

class DpmSolverScheduler : public SolverScheduler {
 protected:
  explicit DpmSolverScheduler(DpmOptions options)
      : SolverScheduler(options.solver), dpm_(std::move(options)) {}

  // The number of training timesteps left by lambda_min_clipped.
  int last_timestep() const;
  double final_sigma() const;
  // From the level at one index to that at another.
  DpmWeights weights(int from_index, int to_index) const;
  // Turns the network's output into x_0 or noise and remembers it; draws noise where the
  // algorithm adds some.
  void begin_step(ConstLatents model_output, int index, ConstLatents sample,
                  TorchGenerator& generator);
  // The sum above; empty differences are left out. `sample` is both x and x_t.
  void combine(const DpmWeights& weights, ConstLatents d0, float d1_weight, ConstLatents d1,
               ConstLatents d2, Latents sample) const;

  const DpmOptions& dpm() const { return dpm_; }

 private:
  DpmOptions dpm_;
  std::vector<float> noise_;
};

// scale * (a - b).
std::vector<float> scaled_difference(float scale, ConstLatents a, ConstLatents b);

}  // namespace limner::schedulers
