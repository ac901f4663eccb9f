#include "codec/orientation.hpp"

#include <algorithm>

namespace limner::codec {
namespace {

struct Step {
  bool flips_x = false;
  bool flips_y = false;
};

// After the sides are swapped (5 to 8), which axes of the stored picture run backwards.
Step step_of(int orientation) {
  switch (orientation) {
    case 2:
      return {.flips_x = true};
    case 3:
      return {.flips_x = true, .flips_y = true};
    case 4:
      return {.flips_y = true};
    case 6:
      return {.flips_y = true};
    case 7:
      return {.flips_x = true, .flips_y = true};
    case 8:
      return {.flips_x = true};
    default:
      return {};
  }
}

}  // namespace

bool swaps_sides(int orientation) {
  return orientation >= 5 && orientation <= 8;
}

Image apply_orientation(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const auto [width, height] = image.size;
  const bool swaps = swaps_sides(orientation);
  const Step step = step_of(orientation);
  Image upright = Image::blank(swaps ? ImageSize{height, width} : image.size, image.channels);
  const auto channels = static_cast<std::ptrdiff_t>(image.channels);
  for (int y = 0; y < upright.size.height_px; ++y) {
    std::uint8_t* out = upright.row(y);
    for (int x = 0; x < upright.size.width_px; ++x, out += channels) {
      int stored_x = swaps ? y : x;
      int stored_y = swaps ? x : y;
      if (step.flips_x) stored_x = width - 1 - stored_x;
      if (step.flips_y) stored_y = height - 1 - stored_y;
      std::copy_n(image.row(stored_y) + stored_x * channels, channels, out);
    }
  }
  return upright;
}

}  // namespace limner::codec
