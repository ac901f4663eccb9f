// The tables that several schedulers share: which training timesteps a run visits, and the ways to
// space its noise levels. All in double, as numpy does, until a scheduler rounds to float32.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "diffusion/schedulers/options.hpp"

namespace limner::schedulers {

// numpy.linspace.
std::vector<double> linspace(double first, double last, int count);
// numpy.interp over a table at 0, 1, 2, …; clamped at both ends.
double interpolate(double x, std::span<const float> table);

enum class TimestepSpacing { Linspace, Leading, Trailing };

struct SpacingOptions {
  TimestepSpacing spacing = TimestepSpacing::Linspace;
  int steps_offset = 0;
};
SpacingOptions read_spacing(OptionReader& options, TimestepSpacing fallback);

// Falling timesteps of a run, one per step. Where numpy's arange overshoots (trailing, 61 of 1000),
// there is one more, as in diffusers. Only linspace gives fractions.
std::vector<double> spaced_timesteps(const SpacingOptions& options, int num_train_timesteps,
                                     int step_count);
// The same for the multistep solvers, which space one more and leave out the last.
// `last_timestep` is num_train_timesteps unless lambda_min_clipped cuts it.
std::vector<double> solver_timesteps(const SpacingOptions& options, int num_train_timesteps,
                                     int last_timestep, int step_count);

enum class SigmaSpacing { Default, Karras, Exponential, Beta };

struct SigmaOptions {
  SigmaSpacing spacing = SigmaSpacing::Default;
  // Any class honours these when the file lists them, even where they are no option of its own.
  std::optional<double> sigma_min;
  std::optional<double> sigma_max;
};
SigmaOptions read_sigma_options(OptionReader& options);

enum class FinalSigma { Zero, SigmaMin };
FinalSigma read_final_sigma(OptionReader& options);

// `count` falling sigmas from sigma_max to sigma_min, which default to `first` and `last`.
// `options.spacing` is not Default.
std::vector<double> space_sigmas(const SigmaOptions& options, double first, double last, int count);

// The training timestep, a fraction, whose log sigma this is.
double sigma_to_timestep(double sigma, std::span<const float> log_sigmas);
std::vector<double> sigmas_to_timesteps(std::span<const double> sigmas,
                                        std::span<const float> log_sigmas);
// numpy.log of a positive normal float32 to its last bit, which decides whether a timestep that
// loses its fraction is 998 or 999.
float numpy_log(float x);
std::vector<float> logarithms(std::span<const float> values);

// Half to even, as numpy.
std::vector<double> rounded(std::vector<double> values);
std::vector<float> to_float(std::span<const double> values);

}  // namespace limner::schedulers
