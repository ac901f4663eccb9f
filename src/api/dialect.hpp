// The images APIs that are spoken here, and where they differ. One row per dialect.
#pragma once

#include <string_view>

namespace limner::api {

enum class Dialect {
  Bifrost,  // /v1: Bifrost's schemas, a superset of OpenAI's
  OpenAi,   // /openai, /litellm, …: what typed OpenAI clients expect, nothing more
  Ovms,     // /v3: OpenVINO Model Server
  Nebula,   // /api/v1
};

enum class Operation { Generation, Edit, Variation };

// Who resizes what does not fit.
enum class Fit { Refuse, Adjust };

struct DialectRules {
  bool refuses_unknown_fields;  // else they are ignored, unless the caller asks for strictness
  bool refuses_idle_strength;   // `strength` without a picture
  bool sends_url_by_default;    // beside b64_json, when response_format is absent
  bool sends_extra_fields;      // id, model, extra_fields
  bool sends_index_and_seed;    // of each picture
  bool reads_prompt_syntax;     // chunks and weights, where the operator allows them
  bool fits_long_prompts;       // else one that is too long is refused, unless the operator says
  bool has_bifrost_error_members;
  bool has_nebula_error_members;
  Fit mask_size;  // a mask of another size than its picture
  Fit size;       // a size that the model does not take
};

const DialectRules& rules_of(Dialect dialect);

// "image_generation", "image_edit", "image_variation": the prefix of event names and Bifrost's
// request_type.
std::string_view to_string(Operation operation);

}  // namespace limner::api
