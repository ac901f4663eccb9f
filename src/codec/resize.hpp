// Resampling that gives the very pixels Pillow's Image.resize gives: diffusers prepares init
// images and masks with Pillow, and the same seed must paint the same picture from them.
#pragma once

#include "core/image.hpp"

namespace limner::codec {

enum class ResizeFilter { Nearest, Bilinear, Bicubic, Lanczos };

// 1, 3 or 4 channels, both sides of `size` at least 1. RGBA is weighted by alpha while resampled
// (not by Nearest), so that hidden colours do not bleed. Pinned by tests/golden/resize.
Image resize(const Image& image, ImageSize size, ResizeFilter filter);

// The largest copy of the same shape that fits into `size`, in its middle; its outermost pixels
// fill the rest.
Image fit_inside(const Image& image, ImageSize size, ResizeFilter filter);

}  // namespace limner::codec
