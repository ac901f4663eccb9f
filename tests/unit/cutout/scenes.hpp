// Synthetic pictures whose true alpha is known, by arithmetic only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

#include "core/image.hpp"

namespace limner::cutout::testing {

// Noise that is the same on every machine.
class Noise {
 public:
  // About -1 to 1.
  double next() {
    state_ = state_ * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return static_cast<double>(state_ >> 33) / (1u << 30) - 1;
  }

 private:
  std::uint64_t state_ = 7;
};

struct Colour {
  double red = 0;
  double green = 0;
  double blue = 0;
};

struct Scene {
  Image picture;
  Image alpha;  // what is right
};

// Position in 0 to 1 of the shorter side → colour; → coverage 0 to 1.
using Paint = std::function<Colour(double x, double y)>;
using Shape = std::function<double(double x, double y, double pixel)>;

inline Scene make_scene(ImageSize size, const Paint& background, const Paint& subject,
                        const Shape& shape, double noise_levels = 2) {
  Scene scene{Image::blank(size, 3), Image::blank(size, 1)};
  Noise noise;
  const double scale = 1.0 / std::min(size.width_px, size.height_px);
  for (int y = 0; y < size.height_px; ++y) {
    for (int x = 0; x < size.width_px; ++x) {
      const double u = (x + 0.5) * scale;
      const double v = (y + 0.5) * scale;
      const double a = std::clamp(shape(u, v, scale), 0.0, 1.0);
      const Colour f = subject(u, v);
      const Colour b = background(u, v);
      const double grain = noise.next() * noise_levels;
      const auto mix = [&](double of_subject, double of_background) {
        const double value = of_subject * a + of_background * (1 - a) + grain;
        return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0l, 255l));
      };
      std::uint8_t* pixel = scene.picture.row(y) + x * 3;
      pixel[0] = mix(f.red, b.red);
      pixel[1] = mix(f.green, b.green);
      pixel[2] = mix(f.blue, b.blue);
      *(scene.alpha.row(y) + x) = static_cast<std::uint8_t>(std::lround(a * 255));
    }
  }
  return scene;
}

// A disc with an arm, edges soft over `softness` pixels.
inline Shape blob(double center_x, double center_y, double radius, double softness = 1.5) {
  return [=](double x, double y, double pixel) {
    const double dx = x - center_x;
    const double dy = y - center_y;
    const double wobble = 1 + 0.15 * std::sin(5 * std::atan2(dy, dx));
    const double outside = std::hypot(dx, dy) - radius * wobble;
    return 0.5 - outside / (softness * pixel);
  };
}

inline Paint plain(Colour colour) {
  return [=](double, double) { return colour; };
}

inline Paint gradient() {
  return [](double x, double y) { return Colour{60 + 120 * y, 120 + 60 * x, 210 - 100 * y}; };
}

// Two-tone waves and fine noise.
inline Paint texture() {
  return [](double x, double y) {
    const double wave = 18 * std::sin(40 * x + 9 * std::sin(11 * y)) * std::cos(31 * y);
    return Colour{110 + wave, 125 + 0.7 * wave, 90 + wave};
  };
}

inline Paint orange() {
  return [](double x, double y) { return Colour{230 - 40 * y, 130 + 30 * x, 40 + 30 * y}; };
}

// Of both alphas at one half.
inline double intersection_over_union(const Image& a, const Image& b) {
  double both = 0;
  double either = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    both += a.pixels[i] >= 128 && b.pixels[i] >= 128;
    either += a.pixels[i] >= 128 || b.pixels[i] >= 128;
  }
  return either > 0 ? both / either : 1;
}

inline double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

}  // namespace limner::cutout::testing
