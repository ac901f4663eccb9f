// At what sizes a model's precisions are compared.
#pragma once

#include "base/json.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "runtime/runtime.hpp"

namespace limner::pipelines {

// Of a denoiser's config.json: the width of its first level, or of its tokens, over as many
// positions as its own latents have. What the config does not say is as in SD 1.5.
runtime::ProbeSizes probe_sizes(const json::object& denoiser_config);

// F32 or Bf16: what this model is painted in by `runtime`. May measure, which takes a second.
runtime::Precision precision_of(const ModelFolder& folder, runtime::Runtime& runtime);

}  // namespace limner::pipelines
