#include "diffusion/pipelines/request_checks.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace limner::pipelines {
namespace {

int nearest_side(int wanted, const ModelTraits& traits) {
  const int multiple = traits.size_multiple_px;
  const int low = (traits.side_px_min + multiple - 1) / multiple * multiple;
  const int high = traits.side_px_max / multiple * multiple;
  const int rounded = (std::clamp(wanted, low, high) + multiple / 2) / multiple * multiple;
  return std::clamp(rounded, low, high);
}

Result<void> check_size(ImageSize size, const ModelTraits& traits) {
  const ImageSize nearest = nearest_size(size, traits);
  if (nearest == size) return {};
  return invalid_value(
      "size",
      fmt::format("size: got {}, this model takes widths and heights from {} to {} that are "
                  "multiples of {}, at most {} pixels in all; the nearest is {}",
                  to_string(size), traits.side_px_min, traits.side_px_max, traits.size_multiple_px,
                  traits.pixels_max, to_string(nearest)));
}

Result<void> check_numbers(const GenerationRequest& request, const EffectiveParams& effective,
                           const ModelTraits& traits) {
  const int steps = effective.num_inference_steps;
  if (steps < 1 || steps > traits.steps_max) {
    return invalid_value(
        "num_inference_steps",
        fmt::format("num_inference_steps: got {}, expected 1 to {}", steps, traits.steps_max));
  }
  if (!std::isfinite(effective.guidance_scale) || effective.guidance_scale < 0 ||
      effective.guidance_scale > 100) {
    return invalid_value("guidance_scale", fmt::format("guidance_scale: got {}, expected 0 to 100",
                                                       effective.guidance_scale));
  }
  const double strength = request.sampling.strength.value_or(traits.defaults.strength);
  if (!(strength >= 0 && strength <= 1)) {
    return invalid_value("strength", fmt::format("strength: got {}, expected 0 to 1", strength));
  }
  if (!(request.sampling.eta >= 0 && request.sampling.eta <= 1)) {
    return invalid_value("eta", fmt::format("eta: got {}, expected 0 to 1", request.sampling.eta));
  }
  if (request.image_count < 1) {
    return invalid_value("n", fmt::format("n: got {}, expected at least 1", request.image_count));
  }
  return {};
}

}  // namespace

ImageSize nearest_size(ImageSize wanted, const ModelTraits& traits) {
  ImageSize size{nearest_side(wanted.width_px, traits), nearest_side(wanted.height_px, traits)};
  const auto area = [](ImageSize s) {
    return static_cast<std::size_t>(s.width_px) * static_cast<std::size_t>(s.height_px);
  };
  while (area(size) > traits.pixels_max) {
    int& longer = size.width_px >= size.height_px ? size.width_px : size.height_px;
    if (longer <= traits.size_multiple_px) break;
    longer -= traits.size_multiple_px;
  }
  return size;
}

Result<EffectiveParams> check_common(const GenerationRequest& request, const ModelTraits& traits) {
  EffectiveParams effective;
  effective.model = traits.name;
  effective.precision = traits.precision;
  effective.size = request.size;
  effective.num_inference_steps =
      request.sampling.num_inference_steps.value_or(traits.defaults.num_inference_steps);
  effective.guidance_scale =
      request.sampling.guidance_scale.value_or(traits.defaults.guidance_scale);
  effective.scheduler = request.sampling.scheduler.value_or(traits.defaults.scheduler);
  if (auto ok = check_size(request.size, traits); !ok) return ok.error();
  if (auto ok = check_numbers(request, effective, traits); !ok) return ok.error();
  if (std::ranges::find(traits.schedulers, effective.scheduler) == traits.schedulers.end()) {
    std::vector<std::string_view> names;
    for (const auto kind : traits.schedulers) names.push_back(to_string(kind));
    return invalid_value("scheduler",
                         fmt::format("scheduler: got {}, this model takes {}",
                                     to_string(effective.scheduler), fmt::join(names, ", ")));
  }
  if (std::ranges::find(traits.tasks, request.task) == traits.tasks.end()) {
    return Error{.kind = ErrorKind::Unsupported,
                 .message = request.task == Task::TextToImage
                                ? "this model needs an image to start from"
                                : "this model cannot start from an image",
                 .param = "image",
                 .code = "unsupported_for_model"};
  }
  return effective;
}

Result<void> check_clip_skip(const GenerationRequest& request, std::int64_t skip_max) {
  const int skip = request.sampling.clip_skip.value_or(0);
  if (skip >= 0 && skip <= skip_max) return {};
  return invalid_value("clip_skip",
                       fmt::format("clip_skip: got {}, expected 0 to {}", skip, skip_max));
}

Result<std::unique_ptr<schedulers::Scheduler>> make_request_scheduler(
    const GenerationRequest& request, const ModelTraits& traits,
    const schedulers::SchedulerConfig& config) {
  const auto own = parse_scheduler_kind(schedulers::own_scheduler_name(config));
  const SchedulerKind wanted = request.sampling.scheduler.value_or(traits.defaults.scheduler);
  // Naming the folder's own scheduler gives it exactly as the folder configures it.
  const bool is_own = !request.sampling.scheduler && own == wanted;
  return schedulers::make_scheduler(config, is_own ? std::string_view() : to_string(wanted));
}

}  // namespace limner::pipelines
