// Checks of a ScheduleRequest that many schedulers make.
#pragma once

#include "base/result.hpp"
#include "diffusion/schedulers/scheduler.hpp"

namespace limner::schedulers {

// More calls than this is nobody's wish; it bounds the tables.
inline constexpr int kStepCountMax = 10'000;

// 1 ≤ num_inference_steps ≤ max.
Result<void> check_step_count(const ScheduleRequest& request, int max = kStepCountMax);
// The same, for schedulers that take no explicit sigmas.
Result<void> check_plain_request(const ScheduleRequest& request, int max = kStepCountMax);
// For those that do: as many as steps, each finite.
Result<void> check_sigmas(const ScheduleRequest& request);

}  // namespace limner::schedulers
