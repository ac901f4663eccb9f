// What a single-file checkpoint leaves unsaid: the config.json of each network, from the shapes of
// its tensors (under diffusers' names) and from what its family always has.
#pragma once

#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "weights/checkpoint.hpp"
#include "weights/safetensors.hpp"

namespace limner::weights {

// Errors name the tensor that is missing or whose shape makes no sense.
Result<json::object> unet_config(const TensorMap& unet, CheckpointKind kind,
                                 std::int64_t pooled_width);
Result<json::object> vae_config(const TensorMap& vae, CheckpointKind kind);
// `activation` as transformers spells it: "quick_gelu" for OpenAI's CLIP, "gelu" for OpenCLIP.
Result<json::object> clip_config(const TensorMap& encoder, std::string_view activation);
Result<json::object> t5_config(const TensorMap& encoder);
Result<json::object> sd3_config(const TensorMap& transformer);
Result<json::object> flux_config(const TensorMap& transformer);

// scheduler_config.json of the family's published pipeline. `predicts_v`: Stable Diffusion 2.1 at
// 768 pixels and fine-tunes that say so.
json::object scheduler_config(CheckpointKind kind, bool predicts_v, bool has_guidance);

}  // namespace limner::weights
