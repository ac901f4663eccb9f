// Which size a request is painted in.
#pragma once

#include <optional>

#include "api/image_request.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"
#include "core/model_policy.hpp"

namespace limner::api {

// What the model and its administrator allow.
struct SizeRules {
  const ModelTraits& traits;
  const ModelPolicy& policy;

  bool takes(ImageSize size) const;
  // The allowed size that is closest, its shape kept as far as possible.
  ImageSize nearest(ImageSize size) const;
  ImageSize native() const;
};

// `first_image` is the size of the picture to start from, if there is one: `auto` then means the
// picture's own size. `was_adjusted` tells that the dialect lets us choose another than was asked,
// `was_rounded` that the picture's own is none that the model paints.
struct ResolvedSize {
  ImageSize size;
  bool was_adjusted = false;
  bool was_rounded = false;
};
Result<ResolvedSize> resolve_size(const ImageRequest& request, const SizeRules& rules,
                                  std::optional<ImageSize> first_image);

}  // namespace limner::api
