#include "codec/pixels.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace limner::codec {
namespace {

std::size_t pixel_count(const Image& image) {
  return image.pixels.size() / static_cast<std::size_t>(image.channels);
}

// Calls f(in, out) with a pointer to each pixel.
template <typename F>
Image map_pixels(const Image& image, int channels, F&& f) {
  Image out = Image::blank(image.size, channels);
  const std::uint8_t* from = image.pixels.data();
  std::uint8_t* to = out.pixels.data();
  const std::size_t count = pixel_count(image);
  for (std::size_t i = 0; i < count; ++i, from += image.channels, to += channels) f(from, to);
  return out;
}

std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >>
                                   16);
}

}  // namespace

Image to_grey(const Image& image) {
  if (image.channels == 1) return image;
  return map_pixels(image, 1, [](const auto* in, auto* out) { *out = luma(in); });
}

Image to_rgb(const Image& image) {
  if (image.channels == 3) return image;
  if (image.channels == 1) {
    return map_pixels(image, 3, [](const auto* in, auto* out) { std::fill_n(out, 3, *in); });
  }
  return map_pixels(image, 3, [](const auto* in, auto* out) { std::copy_n(in, 3, out); });
}

Image flatten_alpha(const Image& image, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  if (image.channels != 4) return to_rgb(image);
  const std::uint8_t colour[] = {red, green, blue};
  return map_pixels(image, 3, [&](const auto* in, auto* out) {
    for (int c = 0; c < 3; ++c) {
      // One rounding for the sum, so that equal colours stay what they are.
      const int sum = in[c] * in[3] + colour[c] * (255 - in[3]) + 128;
      out[c] = static_cast<std::uint8_t>(((sum >> 8) + sum) >> 8);
    }
  });
}

Image with_alpha(const Image& image, const Image& alpha) {
  LIMNER_CHECK(alpha.channels == 1 && alpha.size == image.size);
  const Image rgb = to_rgb(image);
  const std::uint8_t* opacity = alpha.pixels.data();
  return map_pixels(rgb, 4, [&](const auto* in, auto* out) {
    std::copy_n(in, 3, out);
    out[3] = *opacity++;
  });
}

Image pad(const Image& image, const Padding& padding, std::uint8_t value) {
  LIMNER_CHECK(padding.left_px >= 0 && padding.top_px >= 0 && padding.right_px >= 0 &&
               padding.bottom_px >= 0);
  const ImageSize size{image.size.width_px + padding.left_px + padding.right_px,
                       image.size.height_px + padding.top_px + padding.bottom_px};
  Image out = Image::blank(size, image.channels, value);
  for (int y = 0; y < image.size.height_px; ++y) {
    std::copy_n(image.row(y), image.row_size_bytes(),
                out.row(padding.top_px + y) + padding.left_px * image.channels);
  }
  return out;
}

Image extend(const Image& image, const Padding& padding) {
  Image out = pad(image, padding, 0);
  const auto channels = static_cast<std::size_t>(image.channels);
  const int right_px = padding.left_px + image.size.width_px - 1;
  for (int y = 0; y < out.size.height_px; ++y) {
    const int of = std::clamp(y, padding.top_px, padding.top_px + image.size.height_px - 1);
    std::uint8_t* row = out.row(y);
    if (of != y)
      std::copy_n(image.row(of - padding.top_px), image.row_size_bytes(),
                  row + padding.left_px * image.channels);
    for (int x = 0; x < out.size.width_px; ++x) {
      const int from = std::clamp(x, padding.left_px, right_px);
      if (from != x) std::copy_n(row + from * image.channels, channels, row + x * image.channels);
    }
  }
  return out;
}

}  // namespace limner::codec
