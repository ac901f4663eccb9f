#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "codec/pixels.hpp"
#include "codec/resize.hpp"
#include "cutout/local_colours.hpp"
#include "cutout/matting.hpp"

namespace limner::cutout {
namespace {

constexpr int kColourSidePx = 384;

// Pixels that are nearly all subject (or all background) tell its colour best; so high a power
// makes the others count only where there are none, as in hair.
Plane purity(const Plane& alpha, bool of_subject) {
  Plane weights(alpha.size);
  for (std::size_t i = 0; i < weights.values.size(); ++i) {
    const float share = of_subject ? alpha.values[i] : 1 - alpha.values[i];
    const float cubed = share * share * share;
    const float sixth = cubed * cubed;
    weights.values[i] = sixth * sixth * sixth * sixth;
  }
  return weights;
}

struct EdgeColours {
  LocalColours subject;
  LocalColours background;
};

EdgeColours find_edge_colours(const Image& rgb, const Image& alpha) {
  const ImageSize size = shrink_to(rgb.size, kColourSidePx);
  const Image small = codec::resize(rgb, size, codec::ResizeFilter::Bilinear);
  const Image small_alpha = codec::resize(alpha, size, codec::ResizeFilter::Bilinear);
  Plane opacity(size);
  for (std::size_t i = 0; i < opacity.values.size(); ++i) {
    opacity.values[i] = static_cast<float>(small_alpha.pixels[i]) / 255;
  }
  const int longest = std::max(size.width_px, size.height_px);
  const int near_px = std::max(1, longest / 128);
  const int far_px = std::max(4, longest / 16);
  const RgbPlanes picture = to_planes(small);
  return {local_colours(picture, purity(opacity, true), near_px, far_px),
          local_colours(picture, purity(opacity, false), near_px, far_px)};
}

// Blur fusion (Forte, 2021): the local colours mixed by alpha, and what they leave unexplained
// given to the subject by its share.
std::uint8_t subject_value(float value, float alpha, float subject, float background) {
  const float unexplained = value - alpha * subject - (1 - alpha) * background;
  return static_cast<std::uint8_t>(
      std::lround(std::clamp(subject + alpha * unexplained, 0.0f, 1.0f) * 255));
}

// Takes the old background out of the edge's colours. Clear pixels get the colour of the subject
// beside them, so that scaling the picture later draws no dark line around it.
Image clean_edges(const Image& rgb, const Image& alpha) {
  const EdgeColours colours = find_edge_colours(rgb, alpha);
  Image out = codec::with_alpha(rgb, alpha);
  Sampler sampler(colours.subject.presence.size, rgb.size);
  for (int y = 0; y < rgb.size.height_px; ++y) {
    sampler.set_row(y);
    std::uint8_t* pixel = out.row(y);
    for (int x = 0; x < rgb.size.width_px; ++x, pixel += 4) {
      if (pixel[3] == 255) continue;
      const float opacity = static_cast<float>(pixel[3]) / 255;
      const bool has_subject = sampler.at(colours.subject.presence, x) > 0;
      const bool has_background = sampler.at(colours.background.presence, x) > 0;
      for (std::size_t c = 0; c < 3; ++c) {
        const float value = static_cast<float>(pixel[c]) / 255;
        const float subject = has_subject   ? sampler.at(colours.subject.mean[c], x)
                              : opacity > 0 ? value
                                            : 0;
        const float background = has_background ? sampler.at(colours.background.mean[c], x) : value;
        pixel[c] = subject_value(value, opacity, subject, background);
      }
    }
  }
  return out;
}

// White in place of the colours that a file keeps under transparent pixels.
Image without_hidden_colours(const Image& image) {
  Image rgb = codec::to_rgb(image);
  if (image.channels != 4) return rgb;
  for (std::size_t i = 0; i * 4 < image.pixels.size(); ++i) {
    if (image.pixels[i * 4 + 3] == 0) std::fill_n(&rgb.pixels[i * 3], 3, std::uint8_t{255});
  }
  return rgb;
}

}  // namespace

Result<Image> cut_out(const Image& image, const Matting& matting) {
  const Image rgb = without_hidden_colours(image);
  auto alpha =
      image.channels == 4 ? matting.alpha(codec::flatten_alpha(image)) : matting.alpha(rgb);
  if (!alpha) return alpha;
  LIMNER_CHECK(alpha->channels == 1 && alpha->size == image.size);
  Image out = clean_edges(rgb, *alpha);
  if (image.channels != 4) return out;
  for (std::size_t i = 3; i < out.pixels.size(); i += 4) {
    out.pixels[i] = std::min(out.pixels[i], image.pixels[i]);
  }
  return out;
}

}  // namespace limner::cutout
