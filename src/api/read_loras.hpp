// Which LoRAs a request asks for: `loras`, and `lora_alphas` as OpenVINO Model Server has it.
#pragma once

#include "api/field_reader.hpp"
#include "api/image_request.hpp"

namespace limner::api {

// `loras`: [{"name": "ink", "strength": 0.8}, "film"] or {"ink": 0.8}; `lora_alphas`: the latter.
// In a form as JSON text or in brackets. Mistakes are reported to the reader.
void read_loras(FieldReader& fields, ImageRequest& request);

}  // namespace limner::api
