// Matting without a network: the border tells what the background looks like, a minimum cut parts
// subject and background on a small copy, and the edge is made soft and exact at full size.
#pragma once

#include "cutout/matting.hpp"

namespace limner::cutout {

// Good on plain and smoothly lit backgrounds, fair on textured ones, helpless where subject and
// background share their colours. If nothing stands out from the border, the whole picture is
// subject: an empty answer is never what was asked for.
class ClassicalMatting final : public Matting {
 public:
  std::string_view name() const override { return "classical-border-cut"; }
  Result<Image> alpha(const Image& rgb) const override;
};

}  // namespace limner::cutout
