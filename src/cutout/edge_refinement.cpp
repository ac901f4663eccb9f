#include "cutout/edge_refinement.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "codec/resize.hpp"
#include "cutout/guided_filter.hpp"
#include "cutout/local_colours.hpp"

namespace limner::cutout {
namespace {

constexpr int kRefineSidePx = 384;
constexpr float kCertain = 0.999f;

// How sure the mask is, at its own size. 1 = certainly.
struct Certainty {
  Plane mask;
  Plane subject;
  Plane background;
};

Certainty make_certainty(Plane mask, int band_px) {
  const ImageSize size = mask.size;
  const Plane around = box_mean(mask, band_px);
  Certainty certainty{std::move(mask), Plane(size), Plane(size)};
  for (std::size_t i = 0; i < around.values.size(); ++i) {
    certainty.subject.values[i] = around.values[i] > kCertain;
    certainty.background.values[i] = around.values[i] < 1 - kCertain;
  }
  return certainty;
}

Plane scale(const Plane& plane, ImageSize size) {
  Plane out(size);
  Sampler sampler(plane.size, size);
  for (int y = 0; y < size.height_px; ++y) {
    sampler.set_row(y);
    for (int x = 0; x < size.width_px; ++x) out.row(y)[x] = sampler.at(plane, x);
  }
  return out;
}

// What is known around every place of the edge, at refining size.
struct EdgeModel {
  LocalColours subject;
  LocalColours background;
  LinearFunctions guided;
};

EdgeModel make_edge_model(const Image& rgb, const Certainty& certainty) {
  const Image small =
      codec::resize(rgb, shrink_to(rgb.size, kRefineSidePx), codec::ResizeFilter::Bilinear);
  const RgbPlanes picture = to_planes(small);
  const int longest = std::max(small.size.width_px, small.size.height_px);
  const int near_px = std::max(2, longest / 48);
  const int far_px = std::max(8, longest / 8);
  const int guide_px = std::max(2, longest / 100);
  constexpr float kGuideSmoothness = 2e-4f;
  return {local_colours(picture, scale(certainty.subject, small.size), near_px, far_px),
          local_colours(picture, scale(certainty.background, small.size), near_px, far_px),
          fit_guided(picture, scale(certainty.mask, small.size), guide_px, kGuideSmoothness)};
}

Rgb sample(const Sampler& sampler, const RgbPlanes& planes, int x) {
  return {sampler.at(planes[0], x), sampler.at(planes[1], x), sampler.at(planes[2], x)};
}

// Two opinions, weighed: where the pixel lies on the line between the colours of background and
// subject, which is exact if these two are plain; and the guided filter's, which follows edges.
float edge_alpha(const Rgb& colour, const EdgeModel& model, const Sampler& sampler, int x) {
  const Rgb slope = sample(sampler, model.guided.slope, x);
  float guided = sampler.at(model.guided.offset, x);
  for (std::size_t c = 0; c < 3; ++c) guided += slope[c] * colour[c];
  guided = std::clamp(guided, 0.0f, 1.0f);

  const Rgb subject = sample(sampler, model.subject.mean, x);
  const Rgb background = sample(sampler, model.background.mean, x);
  float contrast = 0;
  float along = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const float difference = subject[c] - background[c];
    contrast += difference * difference;
    along += difference * (colour[c] - background[c]);
  }
  constexpr float kContrastMin = 1e-4f;
  if (contrast < kContrastMin) return guided;
  const float mixed = std::clamp(along / contrast, 0.0f, 1.0f);
  float unexplained = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const float rest = colour[c] - background[c] - mixed * (subject[c] - background[c]);
    unexplained += rest * rest;
  }
  constexpr float kNoise = 1.5e-3f;
  const float variance =
      sampler.at(model.subject.variance, x) + sampler.at(model.background.variance, x) + kNoise;
  const float trust = contrast / (contrast + 4 * variance) * variance / (variance + unexplained);
  return guided + trust * (mixed - guided);
}

}  // namespace

struct EdgeRefiner::Model {
  Certainty certainty;
  EdgeModel edge;
  Sampler certain_at;
  Sampler edge_at;
  int width_px;
};

EdgeRefiner::EdgeRefiner(const Image& small, Plane mask, int band_px, ImageSize picture_size) {
  Certainty certainty = make_certainty(std::move(mask), band_px);
  EdgeModel edge = make_edge_model(small, certainty);
  Sampler certain_at(certainty.mask.size, picture_size);
  Sampler edge_at(edge.guided.offset.size, picture_size);
  model_ =
      std::make_unique<Model>(Model{std::move(certainty), std::move(edge), std::move(certain_at),
                                    std::move(edge_at), picture_size.width_px});
}

EdgeRefiner::EdgeRefiner(EdgeRefiner&&) noexcept = default;
EdgeRefiner& EdgeRefiner::operator=(EdgeRefiner&&) noexcept = default;
EdgeRefiner::~EdgeRefiner() = default;

void EdgeRefiner::refine_row(int y, const std::uint8_t* rgb, std::uint8_t* alpha) {
  Model& m = *model_;
  m.certain_at.set_row(y);
  m.edge_at.set_row(y);
  for (int x = 0; x < m.width_px; ++x, rgb += 3) {
    if (m.certain_at.at(m.certainty.background, x) > kCertain) {
      alpha[x] = 0;
      continue;
    }
    if (m.certain_at.at(m.certainty.subject, x) > kCertain) {
      alpha[x] = 255;
      continue;
    }
    const Rgb colour = {static_cast<float>(rgb[0]) / 255, static_cast<float>(rgb[1]) / 255,
                        static_cast<float>(rgb[2]) / 255};
    alpha[x] =
        static_cast<std::uint8_t>(std::lround(edge_alpha(colour, m.edge, m.edge_at, x) * 255));
  }
}

Image refine_edges(const Image& rgb, Plane mask, int band_px) {
  EdgeRefiner refiner(rgb, std::move(mask), band_px, rgb.size);
  Image alpha = Image::blank(rgb.size, 1);
  for (int y = 0; y < rgb.size.height_px; ++y) refiner.refine_row(y, rgb.row(y), alpha.row(y));
  return alpha;
}

}  // namespace limner::cutout
