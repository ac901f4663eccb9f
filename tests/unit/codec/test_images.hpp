// Pictures for the codec's tests.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/image.hpp"

namespace limner::codec::testing {

// Smooth colour with some texture, alpha from 0 to 255, by arithmetic only. Pixels with alpha 0
// are black: WebP does not keep colours nobody sees.
inline Image painted(ImageSize size, int channels) {
  Image image = Image::blank(size, channels);
  for (int y = 0; y < size.height_px; ++y) {
    for (int x = 0; x < size.width_px; ++x) {
      std::uint8_t* pixel = image.row(y) + x * channels;
      const int texture = (x * 7 + y * 13) % 11;
      const int alpha = channels == 4 ? (x * 255) / std::max(1, size.width_px - 1) : 255;
      for (int c = 0; c < channels; ++c) {
        const int value = (x * 2 + y * (c + 1) + 40 * c) % 240 + texture;
        pixel[c] = static_cast<std::uint8_t>(c == 3 ? alpha : alpha == 0 ? 0 : value);
      }
    }
  }
  return image;
}

}  // namespace limner::codec::testing
