// A client's words and a model's nature → exactly what will be painted. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/image_request.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"
#include "core/limits.hpp"
#include "core/model_policy.hpp"

namespace limner::api {

struct ResolveInput {
  const ImageRequest& request;
  const ModelTraits& traits;
  const ModelPolicy& policy;
  std::optional<ImageSize> first_image;
  bool has_mask = false;  // a mask came, or the picture's own transparency is one
  // Used when the request has no seed.
  std::uint64_t random_seed = 0;
  // What has no effect on this model is refused instead of noted.
  bool is_strict = false;
};

// What a model takes and does when a request says nothing, the administrator's word before the
// model's own.
struct ModelBounds {
  ImageSize default_size;
  int default_steps = 0;
  int steps_max = 0;
  int images_max = 0;
  double guidance_scale = 0;  // default
};
ModelBounds bounds_of(const ModelTraits& traits, const ModelPolicy& policy);

struct Resolved {
  GenerationRequest generation;  // id and pictures are the caller's to fill
  Quality quality = Quality::Medium;
  bool is_transparent = false;
  // Sentences for the client about what was changed or had no effect.
  std::vector<std::string> notes;
};

Result<Resolved> resolve(const ResolveInput& input);

}  // namespace limner::api
