// What every family refuses before any work begins.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "core/generation.hpp"
#include "diffusion/schedulers/factory.hpp"

namespace limner::pipelines {

// Size, count, steps, guidance, strength, scheduler and task against the model's traits. The error
// names the field, what came and what is allowed.
Result<EffectiveParams> check_common(const GenerationRequest& request, const ModelTraits& traits);

// clip_skip against the layers that can be skipped.
Result<void> check_clip_skip(const GenerationRequest& request, std::int64_t skip_max);

// The nearest size that the model takes.
ImageSize nearest_size(ImageSize wanted, const ModelTraits& traits);

// The scheduler of a request, for one image: its own choice, the model's default, or the folder's.
Result<std::unique_ptr<schedulers::Scheduler>> make_request_scheduler(
    const GenerationRequest& request, const ModelTraits& traits,
    const schedulers::SchedulerConfig& config);

}  // namespace limner::pipelines
