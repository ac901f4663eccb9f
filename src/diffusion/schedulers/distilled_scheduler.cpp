#include "diffusion/schedulers/distilled_scheduler.hpp"

#include <cmath>

#include <fmt/format.h>

#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/sigma_tables.hpp"

namespace limner::schedulers {

DistilledOptions read_distilled_options(OptionReader& options) {
  DistilledOptions out;
  out.common.noise = read_noise_schedule(
      options,
      {.beta_start = 0.00085, .beta_end = 0.012, .beta_schedule = BetaSchedule::ScaledLinear});
  out.common.prediction_type = read_prediction_type(options);
  read_thresholding(options, out.common.limits);
  read_clipping(options, false, out.common.limits);
  out.common.set_alpha_to_one = options.flag("set_alpha_to_one", true);
  out.original_inference_steps =
      options.integer("original_inference_steps", 50, 1, out.common.noise.num_train_timesteps);
  out.timestep_scaling = options.number("timestep_scaling", 10.0);
  // Both are options that the distilled timesteps leave without effect.
  read_spacing(options, TimestepSpacing::Leading);
  return out;
}

Result<void> DistilledScheduler::set_timesteps(const ScheduleRequest& request) {
  const int steps = original_inference_steps_;
  if (auto ok = check_plain_request(request, steps); !ok) return ok;
  if (!(request.strength >= 0 && request.strength <= 1)) {
    return invalid_value("strength", "strength: must be from 0 to 1");
  }
  const int available = static_cast<int>(steps * request.strength);
  const int count = request.num_inference_steps;
  if (available < count) {
    return invalid_value(
        "num_inference_steps",
        fmt::format("num_inference_steps: got {}, with this strength the model has {} to offer",
                    count, available));
  }
  const int stride = num_train_timesteps() / steps;
  std::vector<double> timesteps;
  for (int i = 0; i < count; ++i) {
    // numpy.linspace without its end, floored: index into the falling distilled timesteps.
    const int picked = static_cast<int>(std::floor(i * (static_cast<double>(available) / count)));
    timesteps.push_back(static_cast<double>(available - picked) * stride - 1);
  }
  return take_timesteps(timesteps);
}

}  // namespace limner::schedulers
