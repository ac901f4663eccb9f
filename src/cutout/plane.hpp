// One channel of floats, and the few whole-plane operations that matting is made of.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/image.hpp"

namespace limner::cutout {

struct Plane {
  ImageSize size;
  std::vector<float> values;  // [H, W]

  Plane() = default;
  explicit Plane(ImageSize plane_size, float value = 0);
  float* row(int y) { return values.data() + static_cast<std::ptrdiff_t>(y) * size.width_px; }
  const float* row(int y) const {
    return values.data() + static_cast<std::ptrdiff_t>(y) * size.width_px;
  }
};

using Rgb = std::array<float, 3>;
using RgbPlanes = std::array<Plane, 3>;

// 0 to 1.
RgbPlanes to_planes(const Image& rgb);

// Mean over the square of side 2 * radius + 1, cut at the picture's border.
Plane box_mean(const Plane& plane, int radius_px);

Plane multiply(const Plane& a, const Plane& b);

// The longest side becomes `side_px_max`; smaller sizes stay.
ImageSize shrink_to(ImageSize size, int side_px_max);

// Reads a plane at positions of a picture of another size, pixel centres aligned, bilinear.
class Sampler {
 public:
  Sampler(ImageSize from, ImageSize to);
  // Fixes the row of the target picture that `at` reads.
  void set_row(int y);
  float at(const Plane& plane, int x) const;

 private:
  struct Tap {
    int first = 0;
    int second = 0;
    float second_weight = 0;
  };
  static Tap tap_of(int position, int from_count, int to_count);
  ImageSize from_;
  ImageSize to_;
  std::vector<Tap> columns_;
  Tap row_;
};

}  // namespace limner::cutout
