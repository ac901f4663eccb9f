// What an administrator allows and prefers for one model. Absent values are the model's own; limits
// bind every dialect.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/generation.hpp"

namespace limner {

struct ModelPolicy {
  std::optional<ImageSize> max_resolution;
  std::vector<ImageSize> allowed_resolutions;  // empty: any size the model takes
  std::optional<ImageSize> default_resolution;
  std::optional<int> max_images;
  std::optional<int> default_steps;
  std::optional<int> max_steps;
  std::optional<double> guidance_scale;
  std::optional<double> strength;
  std::optional<SchedulerKind> scheduler;
  std::optional<std::string> negative_prompt;
};

}  // namespace limner
