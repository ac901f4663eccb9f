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

void stretch_ends(Plane& mask) {
  for (float& value : mask.values) {
    value = std::clamp((value - kMargin) / (1 - 2 * kMargin), 0.0f, 1.0f);
  }
}

Image to_image(const Plane& mask) {
  Image image = Image::blank(mask.size, 1);
  for (std::size_t i = 0; i < mask.values.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(mask.values[i] * 255));
  }
  return image;
}

}  // namespace

NetworkMatting::NetworkMatting(EstimateAlpha estimate, int side_px)
    : estimate_(std::move(estimate)), size_{side_px, side_px} {}

Result<Image> NetworkMatting::alpha(const Image& rgb) const {
  LIMNER_CHECK(rgb.channels == 3 && !rgb.pixels.empty());
  auto mask = estimate_(codec::resize(rgb, size_, codec::ResizeFilter::Bilinear));
  if (!mask) {
    log::warn("matting network: {}; the classical method answers", mask.error().message);
    return fallback_.alpha(rgb);
  }
  stretch_ends(*mask);
  if (rgb.size == size_) return to_image(*mask);
  return refine_edges(rgb, *std::move(mask), kBandPx);
}

}  // namespace limner::cutout
