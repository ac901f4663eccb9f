#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "codec/pixels.hpp"
#include "codec/resize.hpp"
#include "cutout/edge_refinement.hpp"
#include "cutout/local_colours.hpp"
#include "cutout/matting.hpp"

namespace limner::cutout {
namespace {

constexpr int kColourSidePx = 384;
constexpr int kBandPx = 1;             // on the working copy: how far its edge may be off
constexpr int kPieceRowsPx = 1 << 20;  // of the picture, in one piece of work

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
void clean_row(std::uint8_t* pixel, int width_px, const EdgeColours& colours,
               const Sampler& sampler) {
  for (int x = 0; x < width_px; ++x, pixel += 4) {
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

Image rows_of(const Image& picture, int first, int count) {
  Image rows{.size = {picture.size.width_px, count}, .channels = picture.channels, .pixels = {}};
  rows.pixels.assign(picture.row(first), picture.row(first) + picture.row_size_bytes() *
                                                                  static_cast<std::size_t>(count));
  return rows;
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

int longest_side(ImageSize size) {
  return std::max(size.width_px, size.height_px);
}

// The whole number of pixels that become one before the subject is looked for.
int shrink_factor(ImageSize size) {
  return std::max(1, longest_side(size) / CutOut::kWorkSidePx);
}

// Rows of one piece: a multiple of the factor.
int band_rows(ImageSize size) {
  const int factor = shrink_factor(size);
  return std::max(1, kPieceRowsPx / std::max(1, size.width_px) / factor) * factor;
}

int band_count(ImageSize size) {
  return (size.height_px + band_rows(size) - 1) / band_rows(size);
}

// One row of `out` is the mean of the rows of `rgb`, and of as many of their columns.
void average_rows(const Image& rgb, int first, int factor, std::uint8_t* out, int out_width_px) {
  const int count = std::min(factor, rgb.size.height_px - first);
  std::vector<unsigned> sums(static_cast<std::size_t>(out_width_px) * 3);
  for (int y = first; y < first + count; ++y) {
    const std::uint8_t* in = rgb.row(y);
    for (int x = 0; x < out_width_px * factor; ++x, in += 3) {
      unsigned* sum = &sums[static_cast<std::size_t>(x / factor) * 3];
      for (int c = 0; c < 3; ++c) sum[c] += in[c];
    }
  }
  const auto pixels = static_cast<unsigned>(count * factor);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    out[i] = static_cast<std::uint8_t>((sums[i] + pixels / 2) / pixels);
  }
}

}  // namespace

struct CutOut::Edge {
  EdgeColours colours;
  Sampler colour_at;
  // One of the two: the picture's own alpha, or what tells it from that of the copy.
  Image alpha = {};
  std::optional<EdgeRefiner> refiner = std::nullopt;
};

CutOut::CutOut(std::shared_ptr<const Image> picture, const Matting& matting)
    : picture_(std::move(picture)), matting_(matting) {
  LIMNER_CHECK(picture_ && !picture_->pixels.empty());
}

CutOut::~CutOut() = default;

int CutOut::step_count_of(ImageSize size) {
  const int bands = band_count(size);
  return (shrink_factor(size) > 1 ? bands : 0) + 1 + bands;
}

Result<void> CutOut::step() {
  LIMNER_CHECK(!is_finished());
  const int bands = band_count(picture_->size);
  const int shrinking = shrink_factor(picture_->size) > 1 ? bands : 0;
  if (step_index_ < shrinking) {
    shrink_rows(step_index_);
  } else if (step_index_ == shrinking) {
    if (auto found = find_subject(); !found) return found;
  } else {
    write_rows(step_index_ - shrinking - 1);
  }
  ++step_index_;
  return {};
}

// Rows and columns at the far ends that fill no whole factor are left out: fewer than one of the
// copy's own.
void CutOut::shrink_rows(int band) {
  const ImageSize size = picture_->size;
  const int factor = shrink_factor(size);
  if (band == 0) {
    shrunk_ = Image::blank(
        {std::max(1, size.width_px / factor), std::max(1, size.height_px / factor)}, 3);
  }
  const int first = band * band_rows(size);
  const int count = std::min(band_rows(size), size.height_px - first);
  const Image rgb = codec::flatten_alpha(rows_of(*picture_, first, count));
  const int columns = std::min(factor, size.width_px);
  for (int y = 0; y < count; y += factor) {
    const int to = (first + y) / factor;
    if (to >= shrunk_.size.height_px) break;
    if (columns == factor)
      average_rows(rgb, y, factor, shrunk_.row(to), shrunk_.size.width_px);
    else
      std::copy_n(rgb.row(y), 3, shrunk_.row(to));  // a line thinner than the factor
  }
}

Result<void> CutOut::find_subject() {
  const ImageSize size = picture_->size;
  const Image small = [&] {
    const Image copy =
        shrunk_.pixels.empty() ? codec::flatten_alpha(*picture_) : std::move(shrunk_);
    return codec::resize(copy, shrink_to(size, kWorkSidePx), codec::ResizeFilter::Bilinear);
  }();
  auto alpha = matting_.alpha(small);
  if (!alpha) return alpha.error();
  LIMNER_CHECK(alpha->channels == 1 && alpha->size == small.size);
  EdgeColours colours = find_edge_colours(small, *alpha);
  Sampler colour_at(colours.subject.presence.size, size);
  edge_ = std::make_unique<Edge>(Edge{std::move(colours), std::move(colour_at)});
  if (small.size == size) {
    edge_->alpha = *std::move(alpha);
  } else {
    Plane mask(small.size);
    for (std::size_t i = 0; i < mask.values.size(); ++i) {
      mask.values[i] = static_cast<float>(alpha->pixels[i]) / 255;
    }
    edge_->refiner.emplace(small, std::move(mask), kBandPx, size);
  }
  out_ = Image::blank(size, 4);
  return {};
}

void CutOut::write_rows(int band) {
  const ImageSize size = picture_->size;
  const int first = band * band_rows(size);
  const int count = std::min(band_rows(size), size.height_px - first);
  const Image rows = rows_of(*picture_, first, count);
  const Image on_white = codec::flatten_alpha(rows);
  const Image colours = without_hidden_colours(rows);
  std::vector<std::uint8_t> alpha(static_cast<std::size_t>(size.width_px));
  for (int y = 0; y < count; ++y) {
    if (edge_->refiner) {
      edge_->refiner->refine_row(first + y, on_white.row(y), alpha.data());
    } else {
      std::copy_n(edge_->alpha.row(first + y), size.width_px, alpha.data());
    }
    std::uint8_t* to = out_.row(first + y);
    const std::uint8_t* from = colours.row(y);
    for (int x = 0; x < size.width_px; ++x) {
      std::copy_n(from + x * 3, 3, to + x * 4);
      to[x * 4 + 3] = alpha[static_cast<std::size_t>(x)];
    }
    edge_->colour_at.set_row(first + y);
    clean_row(to, size.width_px, edge_->colours, edge_->colour_at);
    if (rows.channels != 4) continue;
    const std::uint8_t* before = rows.row(y);
    for (int x = 0; x < size.width_px; ++x) {
      to[x * 4 + 3] = std::min(to[x * 4 + 3], before[x * 4 + 3]);
    }
  }
}

Image CutOut::take() {
  LIMNER_CHECK(is_finished());
  return std::move(out_);
}

Result<Image> cut_out(const Image& image, const Matting& matting) {
  CutOut work(std::make_shared<const Image>(image), matting);
  while (!work.is_finished()) {
    if (auto done = work.step(); !done) return done.error();
  }
  return work.take();
}

}  // namespace limner::cutout
