#include "diffusion/schedulers/flow_shift.hpp"

#include <cmath>

namespace limner::schedulers {

double FlowShift::mu(int image_sequence_length) const {
  const double slope =
      (max_shift - base_shift) / (max_image_sequence_length - base_image_sequence_length);
  const double start = base_shift - slope * base_image_sequence_length;
  return image_sequence_length * slope + start;
}

std::vector<double> FlowShift::apply(std::vector<double> sigmas, int image_sequence_length,
                                     bool in_float32) const {
  const auto round = [=](double value) {
    return in_float32 ? static_cast<double>(static_cast<float>(value)) : value;
  };
  for (double& sigma : sigmas) {
    if (is_dynamic) {
      const double mean = mu(image_sequence_length);
      const double scale = round(time_shift == TimeShift::Exponential ? std::exp(mean) : mean);
      sigma = round(scale / round(scale + round(round(1 / sigma) - 1)));
    } else {
      const double divisor = round(1 + round(round(shift - 1) * sigma));
      sigma = round(round(round(shift) * sigma) / divisor);
    }
  }
  if (!shift_terminal || *shift_terminal == 0) return sigmas;
  const double stretch = round(round(1 - sigmas.back()) / round(1 - *shift_terminal));
  for (double& sigma : sigmas) sigma = round(1 - round(round(1 - sigma) / stretch));
  return sigmas;
}

FlowShift read_flow_shift(OptionReader& options, std::string_view shift_key) {
  constexpr Choice<TimeShift> kTimeShifts[] = {{"exponential", TimeShift::Exponential},
                                               {"linear", TimeShift::Linear}};
  constexpr int kTokensMax = 10'000'000;
  FlowShift flow;
  flow.shift = options.number(shift_key, 1.0);
  if (!(flow.shift > 0 && flow.shift < 1e6)) options.refuse(shift_key, "a number above 0");
  flow.is_dynamic = options.flag("use_dynamic_shifting", false);
  flow.time_shift = options.choice("time_shift_type", TimeShift::Exponential, kTimeShifts);
  flow.base_image_sequence_length = options.integer("base_image_seq_len", 256, 1, kTokensMax);
  flow.max_image_sequence_length = options.integer("max_image_seq_len", 4096, 1, kTokensMax);
  flow.base_shift = options.optional_number("base_shift").value_or(0.5);
  flow.max_shift = options.optional_number("max_shift").value_or(1.15);
  if (flow.max_image_sequence_length <= flow.base_image_sequence_length) {
    options.refuse("max_image_seq_len", "more than base_image_seq_len");
  }
  return flow;
}

void read_shift_terminal(OptionReader& options, FlowShift& flow) {
  flow.shift_terminal = options.optional_number("shift_terminal");
  if (flow.shift_terminal && !(*flow.shift_terminal >= 0 && *flow.shift_terminal < 1)) {
    options.refuse("shift_terminal", "a number in [0, 1) or null");
  }
}

Result<void> check_image_sequence_length(const FlowShift& flow, const ScheduleRequest& request) {
  if (!flow.is_dynamic || request.image_sequence_length > 0) return {};
  return invalid_value("scheduler",
                       "scheduler: use_dynamic_shifting needs the number of image tokens, which "
                       "this kind of model has none of");
}

}  // namespace limner::schedulers
