// Between 8-bit pictures and the numbers a VAE reads and writes, with diffusers' rounding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/image.hpp"

namespace limner::pipelines {

// x around [-1, 1] → (x / 2 + 0.5) clamped to [0, 1], times 255, rounded half to even
// (VaeImageProcessor.postprocess). Total: what is not a number is 0.
std::uint8_t to_byte(float pixel);

// pixels [3, H, W] → RGB by to_byte.
Image to_image(std::span<const float> pixels, ImageSize size);

// RGB (or RGBA, alpha ignored) → [3, H, W] in [-1, 1].
std::vector<float> to_pixels(const Image& image);

// [1, H, W], 1 where the mask says repaint (128 and more), else 0.
std::vector<float> to_binary_mask(const Image& grey);

// Nearest, as torch's interpolate without align: source = floor(target * in / out).
std::vector<float> shrink_mask(std::span<const float> mask, ImageSize size, int height, int width);

}  // namespace limner::pipelines
