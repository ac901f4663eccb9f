// What a request will ask of the machine, as its model sees it.
#pragma once

#include "base/result.hpp"
#include "engine/step_times.hpp"

namespace limner::engine {

// Also checks the request, with the pipeline's own errors. Any thread.
Result<RequestShape> shape_of(const pipelines::Pipeline& pipeline,
                              const GenerationRequest& request);

}  // namespace limner::engine
