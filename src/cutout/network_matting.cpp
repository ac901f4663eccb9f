#include "cutout/network_matting.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.hpp"
#include "base/log.hpp"
#include "codec/resize.hpp"
#include "cutout/edge_refinement.hpp"

namespace limner::cutout {
namespace {

constexpr int kBandPx = 1;
// Within these of 0 and 1 the network means "none" and "all": a sigmoid never gets there.
constexpr float kMargin = 0.02f;
// Of what a mask keeps, how much may be neither subject nor background. Measured: at most 0.23 on
// every held-out composite, at least 0.27 on every photograph of bench/cutout_photographs.py.
constexpr double kWaveringMax = 0.25;
// A mask that keeps less of the picture found no subject.
constexpr double kKeptMin = 0.005;

void stretch_ends(Plane& mask) {
  for (float& value : mask.values) {
    value = std::clamp((value - kMargin) / (1 - 2 * kMargin), 0.0f, 1.0f);
  }
}

bool is_sure(const Plane& mask) {
  double kept = 0;
  double wavering = 0;
  for (const float value : mask.values) {
    kept += value;
    wavering += 4 * value * (1 - value);
  }
  return kept >= kKeptMin * static_cast<double>(mask.values.size()) &&
         wavering <= kWaveringMax * kept;
}

Image to_image(const Plane& mask) {
  Image image = Image::blank(mask.size, 1);
  for (std::size_t i = 0; i < mask.values.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(mask.values[i] * 255));
  }
  return image;
}

}  // namespace

NetworkMatting::NetworkMatting(EstimateAlpha estimate, int side_px, WhenUnsure when_unsure)
    : estimate_(std::move(estimate)), size_{side_px, side_px}, when_unsure_(when_unsure) {}

Result<Image> NetworkMatting::alpha(const Image& rgb) const {
  LIMNER_CHECK(rgb.channels == 3 && !rgb.pixels.empty());
  auto mask = estimate_(codec::resize(rgb, size_, codec::ResizeFilter::Bilinear));
  if (!mask) {
    log::warn("matting network: {}; the classical method answers", mask.error().message);
    return fallback_.alpha(rgb);
  }
  stretch_ends(*mask);
  if (when_unsure_ == WhenUnsure::UseClassical && !is_sure(*mask)) return fallback_.alpha(rgb);
  if (rgb.size == size_) return to_image(*mask);
  return refine_edges(rgb, *std::move(mask), kBandPx);
}

}  // namespace limner::cutout
