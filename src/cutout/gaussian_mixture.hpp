// A few Gaussians over colours: what a region looks like.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "cutout/plane.hpp"

namespace limner::cutout {

struct Gaussian {
  std::array<double, 3> mean = {};
  std::array<double, 9> inverse_covariance = {};
  double log_scale = 0;  // log of weight and normalisation

  double squared_distance(const Rgb& colour) const;  // Mahalanobis
  double log_density(const Rgb& colour) const { return log_scale - 0.5 * squared_distance(colour); }
};

// Sums over colours, from which a Gaussian is fitted.
class ColourSums {
 public:
  void add(const Rgb& colour);
  double count() const { return count_; }
  // `noise` is the least standard deviation assumed in any direction. Needs at least one colour.
  Gaussian fit(double weight, double noise) const;

 private:
  double count_ = 0;
  std::array<double, 3> sum_ = {};
  std::array<double, 6> products_ = {};  // rr rg rb gg gb bb
};

class GaussianMixture {
 public:
  // Hard assignments by k-means from evenly spaced brightnesses: no random numbers. Fewer colours
  // than components give fewer components.
  static GaussianMixture fit(std::span<const Rgb> colours, int component_count);

  // Of the likeliest component; colours within 0 to 1.
  double log_density(const Rgb& colour) const;
  bool is_empty() const { return components_.empty(); }

 private:
  std::vector<Gaussian> components_;
};

// Index of the nearest centre for each colour, after k-means. Centres without colours are dropped.
struct Clusters {
  std::vector<Rgb> centres;
  std::vector<int> of_colour;
};
Clusters cluster(std::span<const Rgb> colours, int cluster_count);

}  // namespace limner::cutout
