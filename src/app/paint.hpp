// Painting without a server: one pipeline, one request, on the calling thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "core/generation.hpp"
#include "diffusion/pipelines/pipeline.hpp"
#include "engine/model_pool.hpp"

namespace limner::app {

struct PaintResult {
  GenerationRequest request;
  EffectiveParams effective;
  std::vector<Image> images;
  Timings timings;
};

using ShowProgress = std::function<void(int step, int step_count)>;

// What the command line asks of this model. Reads --init-image and --mask.
Result<GenerationRequest> request_of(const config::Config& config, const ModelPolicy& policy,
                                     const ModelTraits& traits);

Result<PaintResult> paint(pipelines::Pipeline& pipeline, const GenerationRequest& request,
                          const ShowProgress& show);

// One step and one decoding at the model's own settings, so that its networks are compiled before
// the first request needs them; `report` hears of each. Before the pipeline is shared.
Result<void> warm_up(pipelines::Pipeline& pipeline, const ModelPolicy& policy,
                     const engine::ReportStage& report);

}  // namespace limner::app
