#include "cutout/gaussian_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace limner::cutout {
namespace {

// A camera's or decoder's noise: two to three of 255 levels.
constexpr double kNoise = 0.01;

double squared_distance(const Rgb& a, const Rgb& b) {
  double sum = 0;
  for (std::size_t c = 0; c < 3; ++c) sum += static_cast<double>(a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}

float brightness(const Rgb& colour) {
  return colour[0] + colour[1] + colour[2];
}

std::vector<Rgb> first_centres(std::span<const Rgb> colours, int count) {
  std::vector<std::size_t> order(colours.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return brightness(colours[a]) < brightness(colours[b]);
  });
  std::vector<Rgb> centres;
  const auto n = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < n; ++i) {
    centres.push_back(colours[order[(2 * i + 1) * colours.size() / (2 * n)]]);
  }
  return centres;
}

int nearest(const Rgb& colour, std::span<const Rgb> centres) {
  int best = 0;
  double best_distance = std::numeric_limits<double>::max();
  for (std::size_t i = 0; i < centres.size(); ++i) {
    const double distance = squared_distance(colour, centres[i]);
    if (distance < best_distance) {
      best_distance = distance;
      best = static_cast<int>(i);
    }
  }
  return best;
}

// Means of the clusters; those without colours disappear.
std::vector<Rgb> means(std::span<const Rgb> colours, const Clusters& clusters) {
  std::vector<std::array<double, 4>> sums(clusters.centres.size(), {0, 0, 0, 0});
  for (std::size_t i = 0; i < colours.size(); ++i) {
    auto& sum = sums[static_cast<std::size_t>(clusters.of_colour[i])];
    for (std::size_t c = 0; c < 3; ++c) sum[c] += colours[i][c];
    sum[3] += 1;
  }
  std::vector<Rgb> centres;
  for (const auto& sum : sums) {
    if (sum[3] == 0) continue;
    centres.push_back({static_cast<float>(sum[0] / sum[3]), static_cast<float>(sum[1] / sum[3]),
                       static_cast<float>(sum[2] / sum[3])});
  }
  return centres;
}

}  // namespace

double Gaussian::squared_distance(const Rgb& colour) const {
  const double r = colour[0] - mean[0];
  const double g = colour[1] - mean[1];
  const double b = colour[2] - mean[2];
  const auto& m = inverse_covariance;
  return r * (m[0] * r + m[1] * g + m[2] * b) + g * (m[3] * r + m[4] * g + m[5] * b) +
         b * (m[6] * r + m[7] * g + m[8] * b);
}

void ColourSums::add(const Rgb& colour) {
  count_ += 1;
  std::size_t product = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    sum_[i] += colour[i];
    for (std::size_t j = i; j < 3; ++j) {
      products_[product++] += static_cast<double>(colour[i]) * colour[j];
    }
  }
}

Gaussian ColourSums::fit(double weight, double noise) const {
  Gaussian gaussian;
  for (std::size_t i = 0; i < 3; ++i) gaussian.mean[i] = sum_[i] / count_;
  const auto& m = gaussian.mean;
  const double floor = noise * noise;
  const double rr = products_[0] / count_ - m[0] * m[0] + floor;
  const double rg = products_[1] / count_ - m[0] * m[1];
  const double rb = products_[2] / count_ - m[0] * m[2];
  const double gg = products_[3] / count_ - m[1] * m[1] + floor;
  const double gb = products_[4] / count_ - m[1] * m[2];
  const double bb = products_[5] / count_ - m[2] * m[2] + floor;
  const double a = gg * bb - gb * gb;
  const double b = rb * gb - rg * bb;
  const double c = rg * gb - rb * gg;
  // The floor on the diagonal keeps it away from zero, rounding aside.
  const double determinant = std::max(rr * a + rg * b + rb * c, floor * floor * floor * 1e-3);
  const double s = 1.0 / determinant;
  const double d = (rr * bb - rb * rb) * s;
  const double e = (rg * rb - rr * gb) * s;
  const double f = (rr * gg - rg * rg) * s;
  gaussian.inverse_covariance = {a * s, b * s, c * s, b * s, d, e, c * s, e, f};
  gaussian.log_scale = std::log(weight) - 0.5 * std::log(determinant) - 1.5 * std::log(2 * M_PI);
  return gaussian;
}

Clusters cluster(std::span<const Rgb> colours, int cluster_count) {
  constexpr int kIterations = 10;
  Clusters clusters;
  if (colours.empty()) return clusters;
  clusters.centres = first_centres(colours, cluster_count);
  clusters.of_colour.assign(colours.size(), 0);
  for (int iteration = 0; iteration <= kIterations; ++iteration) {
    for (std::size_t i = 0; i < colours.size(); ++i) {
      clusters.of_colour[i] = nearest(colours[i], clusters.centres);
    }
    if (iteration == kIterations) break;
    clusters.centres = means(colours, clusters);
  }
  return clusters;
}

GaussianMixture GaussianMixture::fit(std::span<const Rgb> colours, int component_count) {
  GaussianMixture mixture;
  if (colours.empty()) return mixture;
  const Clusters clusters = cluster(colours, component_count);
  std::vector<ColourSums> sums(clusters.centres.size());
  for (std::size_t i = 0; i < colours.size(); ++i) {
    sums[static_cast<std::size_t>(clusters.of_colour[i])].add(colours[i]);
  }
  for (const auto& component : sums) {
    if (component.count() == 0) continue;
    const double weight = component.count() / static_cast<double>(colours.size());
    mixture.components_.push_back(component.fit(weight, kNoise));
  }
  return mixture;
}

double GaussianMixture::log_density(const Rgb& colour) const {
  double best = -std::numeric_limits<double>::infinity();
  for (const auto& component : components_) best = std::max(best, component.log_density(colour));
  return best;
}

}  // namespace limner::cutout
