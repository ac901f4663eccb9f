// What lies behind the subject, learnt from the picture's border.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cutout/gaussian_mixture.hpp"
#include "cutout/plane.hpp"

namespace limner::cutout {

// Pixels of the border that look like background, [H, W] of 0 and 1. A colour that is seen only
// between two corners, as where a subject stands on the lower edge, is left out.
std::vector<std::uint8_t> find_background_border(const RgbPlanes& picture);

// A wall, a sky, a studio's paper: each channel a quadratic of the position, plus noise.
class SmoothBackground {
 public:
  // Fitted to the marked pixels, outliers ignored. Empty if they are not smooth.
  static std::optional<SmoothBackground> fit(const RgbPlanes& picture,
                                             std::span<const std::uint8_t> is_background);
  double log_density(int x, int y, const Rgb& colour) const;

 private:
  static constexpr std::size_t kTerms = 6;
  using Terms = std::array<double, kTerms>;

  explicit SmoothBackground(ImageSize size) : size_(size) {}
  Terms terms(int x, int y) const;
  Rgb residual(int x, int y, const Rgb& colour) const;
  // Least squares over the pixels within `distance_max` of the last fit; all, if there was none.
  bool fit_once(const RgbPlanes& picture, std::span<const std::size_t> pixels, double distance_max);
  bool is_good(const RgbPlanes& picture, std::span<const std::size_t> pixels) const;

  ImageSize size_;
  std::array<Terms, 3> coefficients_ = {};
  Gaussian noise_;
};

// Smooth if it can be, else a mixture of colours.
class BackgroundModel {
 public:
  static BackgroundModel fit(const RgbPlanes& picture, std::span<const std::uint8_t> is_background);
  double log_density(int x, int y, const Rgb& colour) const;
  bool is_smooth() const { return smooth_.has_value(); }

 private:
  std::optional<SmoothBackground> smooth_;
  GaussianMixture mixture_;
};

// Which pixels are marked; evenly thinned out if there are many, since models need no more.
std::vector<std::size_t> marked_pixels(std::span<const std::uint8_t> mask);

std::vector<Rgb> colours_of(const RgbPlanes& picture, std::span<const std::size_t> pixels);

// The colour of one pixel.
inline Rgb colour_at(const RgbPlanes& picture, std::size_t i) {
  return {picture[0].values[i], picture[1].values[i], picture[2].values[i]};
}

}  // namespace limner::cutout
