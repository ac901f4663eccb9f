#include "cutout/segment.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "cutout/background_model.hpp"
#include "cutout/grid_cut.hpp"

namespace limner::cutout {
namespace {

constexpr int kRounds = 3;
constexpr int kSubjectColours = 6;
// Costs are integers: this many units for one natural logarithm of likelihood.
constexpr double kUnits = 16;
constexpr double kEdgeCost = 18;  // for parting two pixels of the same colour
constexpr int kForbidden = 1'000'000;
constexpr double kSubjectOutlierLogDensity = -6.0;

using Mask = std::vector<std::uint8_t>;

struct Neighbour {
  int dx = 0;
  int dy = 0;
  double distance = 1;
};
constexpr Neighbour kNeighbours[GridCut::kForwardNeighbours] = {
    {1, 0, 1.0}, {0, 1, 1.0}, {1, 1, 1.41421356}, {-1, 1, 1.41421356}};

double squared_difference(const RgbPlanes& picture, std::size_t a, std::size_t b) {
  double sum = 0;
  for (const auto& plane : picture) {
    const double difference = plane.values[a] - plane.values[b];
    sum += difference * difference;
  }
  return sum;
}

template <typename F>
void for_each_pair(const RgbPlanes& picture, F&& f) {
  const auto [width, height] = picture[0].size;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int n = 0; n < GridCut::kForwardNeighbours; ++n) {
        const int other_x = x + kNeighbours[n].dx;
        const int other_y = y + kNeighbours[n].dy;
        if (other_x < 0 || other_x >= width || other_y >= height) continue;
        const auto here = static_cast<std::size_t>(y * width + x);
        const auto there = static_cast<std::size_t>(other_y * width + other_x);
        f(x, y, n, squared_difference(picture, here, there));
      }
    }
  }
}

// Parting costs less where colours differ, by the picture's own measure of what differs much.
class EdgeCosts {
 public:
  explicit EdgeCosts(const RgbPlanes& picture) {
    double sum = 0;
    std::size_t count = 0;
    for_each_pair(picture, [&](int, int, int, double difference) {
      sum += difference;
      ++count;
    });
    const double mean = count > 0 ? sum / static_cast<double>(count) : 0;
    const double sharpness = 1.0 / (2 * std::max(mean, 1e-6));
    pairs_.reserve(count);
    for_each_pair(picture, [&](int x, int y, int n, double difference) {
      const double cost = kEdgeCost / kNeighbours[n].distance * std::exp(-sharpness * difference);
      pairs_.push_back({x, y, n, static_cast<int>(std::lround(cost * kUnits))});
    });
  }

  void apply(GridCut& cut) const {
    for (const auto& pair : pairs_) cut.set_neighbour_cost(pair.x, pair.y, pair.n, pair.cost);
  }

 private:
  struct Pair {
    int x;
    int y;
    int n;
    int cost;
  };
  std::vector<Pair> pairs_;
};

// Subjects stand in the middle more often than at the sides; a weak opinion.
double log_prior_of_subject(int x, int y, ImageSize size) {
  const double to_side = std::min(x, size.width_px - 1 - x) / (0.5 * size.width_px);
  const double to_end = std::min(y, size.height_px - 1 - y) / (0.5 * size.height_px);
  return 1.5 * std::min(std::min(to_side, to_end) * 2, 1.0) - 1.0;
}

// What the background cannot explain. A smooth background is so well known that this holds for
// the border too, where a subject may stand.
Mask first_guess(const RgbPlanes& picture, const BackgroundModel& background, const Mask& seeds) {
  constexpr double kUnlikely = 2.0;  // log density; in the unit cube, colours of no model have 0
  Mask is_subject(seeds.size(), 0);
  const int width = picture[0].size.width_px;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const auto position = static_cast<int>(i);
    if (seeds[i] && !background.is_smooth()) continue;
    is_subject[i] = background.log_density(position % width, position / width,
                                           colour_at(picture, i)) < kUnlikely;
  }
  return is_subject;
}

Mask cut(const RgbPlanes& picture, const BackgroundModel& background,
         const GaussianMixture& subject, const Mask& seeds, const EdgeCosts& edges) {
  GridCut grid(picture[0].size);
  const auto [width, height] = picture[0].size;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto i = static_cast<std::size_t>(y * width + x);
      if (seeds[i]) {
        grid.set_costs(x, y, kForbidden, 0);
        continue;
      }
      const Rgb colour = colour_at(picture, i);
      const double as_background = background.log_density(x, y, colour);
      const double as_subject = std::max(subject.log_density(colour), kSubjectOutlierLogDensity) +
                                log_prior_of_subject(x, y, picture[0].size);
      const auto gain = static_cast<int>(std::lround((as_subject - as_background) * kUnits));
      grid.set_costs(x, y, std::max(-gain, 0), std::max(gain, 0));
    }
  }
  edges.apply(grid);
  return grid.solve();
}

// Turns connected parts of `value` for which `keeps` is false. keeps(part) sees the pixels.
template <typename F>
void drop_parts(Mask& mask, ImageSize size, std::uint8_t value, F&& keeps) {
  Mask seen(mask.size(), 0);
  std::vector<std::size_t> part;
  const auto width = static_cast<std::size_t>(size.width_px);
  for (std::size_t start = 0; start < mask.size(); ++start) {
    if (seen[start] || mask[start] != value) continue;
    part.assign(1, start);
    seen[start] = 1;
    for (std::size_t head = 0; head < part.size(); ++head) {
      const std::size_t i = part[head];
      const auto visit = [&](bool exists, std::size_t j) {
        if (!exists || seen[j] || mask[j] != value) return;
        seen[j] = 1;
        part.push_back(j);
      };
      visit(i % width > 0, i - 1);
      visit(i % width + 1 < width, i + 1);
      visit(i >= width, i - width);
      visit(i + width < mask.size(), i + width);
    }
    if (keeps(part)) continue;
    for (const std::size_t i : part) mask[i] = !value;
  }
}

// Specks are not subjects, pinholes are not background.
void clean(Mask& mask, ImageSize size) {
  std::size_t largest = 0;
  drop_parts(mask, size, 1, [&](const auto& part) {
    largest = std::max(largest, part.size());
    return true;
  });
  const std::size_t part_min = std::max<std::size_t>(largest / 50, mask.size() / 2'000);
  const std::size_t hole_min = mask.size() / 1'000;
  drop_parts(mask, size, 1, [&](const auto& part) { return part.size() >= part_min; });
  drop_parts(mask, size, 0, [&](const auto& part) { return part.size() >= hole_min; });
}

}  // namespace

Mask segment(const RgbPlanes& picture) {
  Mask seeds = find_background_border(picture);
  const Mask nothing(seeds.size(), 0);
  if (std::find(seeds.begin(), seeds.end(), 1) == seeds.end()) return nothing;
  auto background = BackgroundModel::fit(picture, seeds);
  Mask is_subject = first_guess(picture, background, seeds);
  for (std::size_t i = 0; i < seeds.size(); ++i) seeds[i] = seeds[i] && !is_subject[i];
  const EdgeCosts edges(picture);
  for (int round = 0; round < kRounds; ++round) {
    const auto colours = colours_of(picture, marked_pixels(is_subject));
    if (colours.empty()) return nothing;
    const auto subject = GaussianMixture::fit(colours, kSubjectColours);
    is_subject = cut(picture, background, subject, seeds, edges);
    if (round + 1 == kRounds) break;
    Mask is_background(is_subject.size());
    for (std::size_t i = 0; i < is_subject.size(); ++i) is_background[i] = !is_subject[i];
    background = BackgroundModel::fit(picture, is_background);
  }
  clean(is_subject, picture[0].size);
  return is_subject;
}

}  // namespace limner::cutout
