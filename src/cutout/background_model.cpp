#include "cutout/background_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace limner::cutout {
namespace {

constexpr int kBorderColours = 6;
constexpr int kBackgroundColours = 8;

int border_width(ImageSize size) {
  return std::max(1, std::min(size.width_px, size.height_px) / 32);
}

struct Border {
  std::vector<std::size_t> pixels;
  std::vector<std::uint8_t> is_corner;  // of each of them
};

Border find_border(ImageSize size) {
  Border border;
  const int width = border_width(size);
  const int corner_x = std::max(width, size.width_px / 8);
  const int corner_y = std::max(width, size.height_px / 8);
  for (int y = 0; y < size.height_px; ++y) {
    for (int x = 0; x < size.width_px; ++x) {
      const int to_side = std::min(x, size.width_px - 1 - x);
      const int to_end = std::min(y, size.height_px - 1 - y);
      if (to_side >= width && to_end >= width) continue;
      border.pixels.push_back(static_cast<std::size_t>(y) *
                                  static_cast<std::size_t>(size.width_px) +
                              static_cast<std::size_t>(x));
      border.is_corner.push_back(to_side < corner_x && to_end < corner_y);
    }
  }
  return border;
}

template <std::size_t kCount>
using Matrix = std::array<std::array<double, kCount>, kCount>;

// Solves matrix * x = right by elimination with pivots; false if it is singular.
template <std::size_t kCount>
bool solve(Matrix<kCount> matrix, std::array<double, kCount> right, std::array<double, kCount>& x) {
  for (std::size_t column = 0; column < kCount; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < kCount; ++row) {
      if (std::abs(matrix[row][column]) > std::abs(matrix[pivot][column])) pivot = row;
    }
    if (std::abs(matrix[pivot][column]) < 1e-9) return false;
    std::swap(matrix[pivot], matrix[column]);
    std::swap(right[pivot], right[column]);
    for (std::size_t row = column + 1; row < kCount; ++row) {
      const double factor = matrix[row][column] / matrix[column][column];
      for (std::size_t i = column; i < kCount; ++i) matrix[row][i] -= factor * matrix[column][i];
      right[row] -= factor * right[column];
    }
  }
  for (std::size_t row = kCount; row-- > 0;) {
    double sum = right[row];
    for (std::size_t i = row + 1; i < kCount; ++i) sum -= matrix[row][i] * x[i];
    x[row] = sum / matrix[row][row];
  }
  return true;
}

// Chance that a pixel looks like nothing learnt: bounds how sure one pixel can make the cut.
constexpr double kOutlierLogDensity = -9.0;

}  // namespace

std::vector<std::uint8_t> find_background_border(const RgbPlanes& picture) {
  const Border border = find_border(picture[0].size);
  const auto colours = colours_of(picture, border.pixels);
  const Clusters clusters = cluster(colours, kBorderColours);
  std::vector<int> corner_count(clusters.centres.size(), 0);
  std::vector<int> count(clusters.centres.size(), 0);
  for (std::size_t i = 0; i < colours.size(); ++i) {
    const auto of = static_cast<std::size_t>(clusters.of_colour[i]);
    ++count[of];
    corner_count[of] += border.is_corner[i];
  }
  std::vector<std::uint8_t> is_background(picture[0].values.size(), 0);
  for (std::size_t i = 0; i < colours.size(); ++i) {
    const auto of = static_cast<std::size_t>(clusters.of_colour[i]);
    // Corners are about half of the border: background has its share of them.
    const bool has_corners = corner_count[of] * 10 >= count[of];
    is_background[border.pixels[i]] = has_corners;
  }
  return is_background;
}

std::vector<std::size_t> marked_pixels(std::span<const std::uint8_t> mask) {
  constexpr std::size_t kEnough = 6'000;
  const auto count = static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 1));
  const std::size_t stride = count / kEnough + 1;
  std::vector<std::size_t> pixels;
  pixels.reserve(count / stride + 1);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] && seen++ % stride == 0) pixels.push_back(i);
  }
  return pixels;
}

std::vector<Rgb> colours_of(const RgbPlanes& picture, std::span<const std::size_t> pixels) {
  std::vector<Rgb> colours;
  colours.reserve(pixels.size());
  for (const std::size_t i : pixels) colours.push_back(colour_at(picture, i));
  return colours;
}

SmoothBackground::Terms SmoothBackground::terms(int x, int y) const {
  const double u = 2.0 * (x + 0.5) / size_.width_px - 1;
  const double v = 2.0 * (y + 0.5) / size_.height_px - 1;
  return {1, u, v, u * u, u * v, v * v};
}

Rgb SmoothBackground::residual(int x, int y, const Rgb& colour) const {
  const Terms t = terms(x, y);
  Rgb rest{};
  for (std::size_t c = 0; c < 3; ++c) {
    double expected = 0;
    for (std::size_t i = 0; i < kTerms; ++i) expected += coefficients_[c][i] * t[i];
    rest[c] = static_cast<float>(colour[c] - expected);
  }
  return rest;
}

std::optional<SmoothBackground> SmoothBackground::fit(const RgbPlanes& picture,
                                                      std::span<const std::uint8_t> is_background) {
  // Narrow at first, so that a subject among the pixels loses its say; then as wide as noise is.
  constexpr double kDistances[] = {std::numeric_limits<double>::max(), 3, 5, 7, 9, 9};
  const auto pixels = marked_pixels(is_background);
  SmoothBackground background(picture[0].size);
  for (const double distance_max : kDistances) {
    if (!background.fit_once(picture, pixels, distance_max)) return std::nullopt;
  }
  if (!background.is_good(picture, pixels)) return std::nullopt;
  return background;
}

bool SmoothBackground::is_good(const RgbPlanes& picture,
                               std::span<const std::size_t> pixels) const {
  constexpr double kNoiseMax = 0.045;  // 11 of 255 levels
  constexpr double kInliersMin = 0.7;
  constexpr double kInlierDistance = 16;
  std::size_t inliers = 0;
  double squared = 0;
  for (const std::size_t i : pixels) {
    const auto position = static_cast<int>(i);
    const Rgb rest =
        residual(position % size_.width_px, position / size_.width_px, colour_at(picture, i));
    if (noise_.squared_distance(rest) > kInlierDistance) continue;
    ++inliers;
    for (const float r : rest) squared += static_cast<double>(r) * r / 3;
  }
  return static_cast<double>(inliers) >= kInliersMin * static_cast<double>(pixels.size()) &&
         std::sqrt(squared / static_cast<double>(inliers)) <= kNoiseMax;
}

bool SmoothBackground::fit_once(const RgbPlanes& picture, std::span<const std::size_t> pixels,
                                double distance_max) {
  constexpr double kNoise = 0.008;
  Matrix<kTerms> matrix{};
  std::array<Terms, 3> right{};
  std::vector<std::size_t> used;
  const int width = size_.width_px;
  for (const std::size_t i : pixels) {
    const int x = static_cast<int>(i) % width;
    const int y = static_cast<int>(i) / width;
    const Rgb colour = colour_at(picture, i);
    if (noise_.squared_distance(residual(x, y, colour)) > distance_max) continue;
    used.push_back(i);
    const Terms t = terms(x, y);
    for (std::size_t a = 0; a < kTerms; ++a) {
      for (std::size_t b = 0; b < kTerms; ++b) matrix[a][b] += t[a] * t[b];
      for (std::size_t c = 0; c < 3; ++c) right[c][a] += t[a] * colour[c];
    }
  }
  if (used.size() < 4 * kTerms) return false;
  for (std::size_t c = 0; c < 3; ++c) {
    if (!solve(matrix, right[c], coefficients_[c])) return false;
  }
  ColourSums sums;
  for (const std::size_t i : used) {
    const auto position = static_cast<int>(i);
    sums.add(residual(position % width, position / width, colour_at(picture, i)));
  }
  noise_ = sums.fit(1.0, kNoise);
  return true;
}

double SmoothBackground::log_density(int x, int y, const Rgb& colour) const {
  // Three times the noise seen: between border and middle the light changes by more than a
  // quadratic tells.
  constexpr double kTolerance = 3.0;
  const double distance = noise_.squared_distance(residual(x, y, colour));
  return noise_.log_scale - 3 * std::log(kTolerance) - 0.5 * distance / (kTolerance * kTolerance);
}

BackgroundModel BackgroundModel::fit(const RgbPlanes& picture,
                                     std::span<const std::uint8_t> is_background) {
  BackgroundModel model;
  model.smooth_ = SmoothBackground::fit(picture, is_background);
  if (model.smooth_) return model;
  model.mixture_ =
      GaussianMixture::fit(colours_of(picture, marked_pixels(is_background)), kBackgroundColours);
  return model;
}

double BackgroundModel::log_density(int x, int y, const Rgb& colour) const {
  const double density =
      smooth_ ? smooth_->log_density(x, y, colour) : mixture_.log_density(colour);
  return std::max(density, kOutlierLogDensity);
}

}  // namespace limner::cutout
