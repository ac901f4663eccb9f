#include "diffusion/schedulers/requests.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace limner::schedulers {

Result<void> check_step_count(const ScheduleRequest& request, int max) {
  const int count = request.num_inference_steps;
  if (count >= 1 && count <= max) return {};
  return invalid_value("num_inference_steps",
                       fmt::format("num_inference_steps: got {}, this model's scheduler takes "
                                   "from 1 to {}",
                                   count, max));
}

Result<void> check_plain_request(const ScheduleRequest& request, int max) {
  if (!request.sigmas.empty()) {
    return invalid_value("scheduler", "scheduler: this one takes no explicit sigmas");
  }
  return check_step_count(request, max);
}

Result<void> check_sigmas(const ScheduleRequest& request) {
  const auto& sigmas = request.sigmas;
  if (auto count = check_step_count(request); !count) return count;
  if (sigmas.empty()) return {};
  if (sigmas.size() != static_cast<std::size_t>(request.num_inference_steps)) {
    return invalid_value("sigmas", fmt::format("sigmas: got {} for {} steps", sigmas.size(),
                                               request.num_inference_steps));
  }
  const auto is_usable = [](double sigma) { return std::isfinite(sigma) && sigma > 0; };
  if (std::ranges::all_of(sigmas, is_usable)) return {};
  return invalid_value("sigmas", "sigmas: each must be a finite number above 0");
}

}  // namespace limner::schedulers
