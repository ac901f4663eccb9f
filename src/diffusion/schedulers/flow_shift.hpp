// How flow models move a run's noise levels towards the noisy end, by a fixed shift or by one that
// grows with the picture.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "diffusion/schedulers/options.hpp"
#include "diffusion/schedulers/scheduler.hpp"

namespace limner::schedulers {

enum class TimeShift { Exponential, Linear };

struct FlowShift {
  double shift = 1.0;
  bool is_dynamic = false;
  TimeShift time_shift = TimeShift::Exponential;
  std::optional<double> shift_terminal;  // where the last level is stretched to
  // The line from image tokens to mu, through two points.
  int base_image_sequence_length = 256;
  int max_image_sequence_length = 4096;
  double base_shift = 0.5;
  double max_shift = 1.15;

  double mu(int image_sequence_length) const;
  // Levels in (0, 1], shifted, then stretched. `in_float32` rounds as numpy does on float32 arrays.
  // A dynamic shift needs image_sequence_length.
  std::vector<double> apply(std::vector<double> sigmas, int image_sequence_length,
                            bool in_float32) const;
};

// `shift_key` is "shift" or "flow_shift"; shift_terminal is read by the classes that know it.
FlowShift read_flow_shift(OptionReader& options, std::string_view shift_key);
void read_shift_terminal(OptionReader& options, FlowShift& flow);

// An error when the shift is dynamic and the pipeline did not say how many tokens there are.
Result<void> check_image_sequence_length(const FlowShift& flow, const ScheduleRequest& request);

}  // namespace limner::schedulers
