// Telling a picture's subject from its background: by a network (NetworkMatting), or without
// (ClassicalMatting).
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "core/image.hpp"

namespace limner::cutout {

class Matting {
 public:
  virtual ~Matting() = default;

  // For answers and logs: "classical-border-cut".
  virtual std::string_view name() const = 0;

  // One channel of the same size: 255 subject, 0 background. `rgb` has three channels. The same
  // picture always gives the same answer. Any thread may call this.
  virtual Result<Image> alpha(const Image& rgb) const = 0;
};

// RGBA with straight alpha. At soft edges the colour is the subject's own, without the old
// background in it. Grey counts as RGB; alpha that is already there stays and can only shrink.
Result<Image> cut_out(const Image& image, const Matting& matting);

}  // namespace limner::cutout
