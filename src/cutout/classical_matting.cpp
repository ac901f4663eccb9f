#include "cutout/classical_matting.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "codec/resize.hpp"
#include "cutout/edge_refinement.hpp"
#include "cutout/segment.hpp"

namespace limner::cutout {
namespace {

constexpr int kSegmentSidePx = 256;
constexpr int kBandPx = 2;  // on the small copy: how far the cut may be off

}  // namespace

Result<Image> ClassicalMatting::alpha(const Image& rgb) const {
  LIMNER_CHECK(rgb.channels == 3 && !rgb.pixels.empty());
  const Image small =
      codec::resize(rgb, shrink_to(rgb.size, kSegmentSidePx), codec::ResizeFilter::Bilinear);
  const auto is_subject = segment(to_planes(small));
  const bool has_subject = std::find(is_subject.begin(), is_subject.end(), 1) != is_subject.end();
  if (!has_subject) return Image::blank(rgb.size, 1, 255);
  Plane mask(small.size);
  std::copy(is_subject.begin(), is_subject.end(), mask.values.begin());
  return refine_edges(rgb, std::move(mask), kBandPx);
}

}  // namespace limner::cutout
