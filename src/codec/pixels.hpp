// Channels and frames of pictures in memory.
#pragma once

#include "core/image.hpp"

namespace limner::codec {

// Luma as Pillow's convert("L"): (19595 R + 38470 G + 7471 B + 32768) >> 16. Alpha is dropped.
Image to_grey(const Image& image);
// Grey is spread, alpha is dropped.
Image to_rgb(const Image& image);

// On one colour, rounded; images without alpha become plain RGB.
Image flatten_alpha(const Image& image, std::uint8_t red = 255, std::uint8_t green = 255,
                    std::uint8_t blue = 255);
// RGB (or grey, or RGBA whose alpha is replaced) and a grey picture of the same size → RGBA.
Image with_alpha(const Image& image, const Image& alpha);

struct Padding {
  int left_px = 0;
  int top_px = 0;
  int right_px = 0;
  int bottom_px = 0;
};

// Every channel of the new border is `value`.
Image pad(const Image& image, const Padding& padding, std::uint8_t value);
// The new border repeats the outermost pixels.
Image extend(const Image& image, const Padding& padding);

}  // namespace limner::codec
