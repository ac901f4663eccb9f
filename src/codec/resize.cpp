#include "codec/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "base/check.hpp"
#include "codec/pixels.hpp"

namespace limner::codec {
namespace {

// Weights are fixed-point numbers: 32 bits hold 8 of pixel, 2 of overshoot, the rest fraction.
constexpr int kFractionBits = 32 - 8 - 2;

double triangle(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

// Keys' cubic with a = -0.5.
double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos3(double x) {
  return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

struct Kernel {
  double (*weight)(double) = nullptr;
  double radius = 0;  // in source pixels at scale 1
};

Kernel kernel_of(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::Bilinear:
      return {triangle, 1.0};
    case ResizeFilter::Bicubic:
      return {cubic, 2.0};
    case ResizeFilter::Lanczos:
      return {lanczos3, 3.0};
    case ResizeFilter::Nearest:
      break;
  }
  return {};
}

// For each output position, which input positions it sums and with what weights.
struct Taps {
  struct Window {
    int first = 0;
    int count = 0;
  };
  std::vector<Window> windows;
  std::vector<std::int32_t> weights;  // [out, taps_max]
  int taps_max = 0;

  const std::int32_t* weights_of(int out) const {
    return weights.data() + static_cast<std::ptrdiff_t>(out) * taps_max;
  }
};

std::int32_t to_fixed(double weight) {
  const double scaled = weight * (1 << kFractionBits);
  return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

// The kernel widens when shrinking, so that every input pixel counts.
Taps make_taps(int in_size, int out_size, Kernel kernel) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double kernel_scale = std::max(scale, 1.0);
  const double radius = kernel.radius * kernel_scale;
  Taps taps;
  taps.taps_max = static_cast<int>(std::ceil(radius)) * 2 + 1;
  taps.windows.resize(static_cast<std::size_t>(out_size));
  taps.weights.resize(static_cast<std::size_t>(out_size) * static_cast<std::size_t>(taps.taps_max));
  std::vector<double> weights(static_cast<std::size_t>(taps.taps_max));
  for (int out = 0; out < out_size; ++out) {
    const double center = (out + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - radius + 0.5));
    const int end = std::min(in_size, static_cast<int>(center + radius + 0.5));
    double sum = 0;
    for (int i = first; i < end; ++i) {
      const double weight = kernel.weight((i - center + 0.5) * (1.0 / kernel_scale));
      weights[static_cast<std::size_t>(i - first)] = weight;
      sum += weight;
    }
    taps.windows[static_cast<std::size_t>(out)] = {first, end - first};
    auto* fixed = taps.weights.data() + static_cast<std::ptrdiff_t>(out) * taps.taps_max;
    for (int i = 0; i < end - first; ++i) {
      const double weight = weights[static_cast<std::size_t>(i)];
      fixed[i] = to_fixed(sum != 0.0 ? weight / sum : weight);
    }
  }
  return taps;
}

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

template <int kChannels>
void resample_row(const std::uint8_t* in, std::uint8_t* out, int out_width, const Taps& taps) {
  for (int x = 0; x < out_width; ++x, out += kChannels) {
    const auto [first, count] = taps.windows[static_cast<std::size_t>(x)];
    const std::int32_t* weights = taps.weights_of(x);
    const std::uint8_t* pixel = in + first * kChannels;
    std::int32_t sums[kChannels];
    std::fill_n(sums, kChannels, 1 << (kFractionBits - 1));
    for (int i = 0; i < count; ++i, pixel += kChannels) {
      for (int c = 0; c < kChannels; ++c) sums[c] += pixel[c] * weights[i];
    }
    for (int c = 0; c < kChannels; ++c) out[c] = to_byte(sums[c]);
  }
}

Image resample_width(const Image& image, int width, Kernel kernel) {
  const Taps taps = make_taps(image.size.width_px, width, kernel);
  Image out = Image::blank({width, image.size.height_px}, image.channels);
  for (int y = 0; y < image.size.height_px; ++y) {
    switch (image.channels) {
      case 1:
        resample_row<1>(image.row(y), out.row(y), width, taps);
        break;
      case 3:
        resample_row<3>(image.row(y), out.row(y), width, taps);
        break;
      default:
        resample_row<4>(image.row(y), out.row(y), width, taps);
        break;
    }
  }
  return out;
}

Image resample_height(const Image& image, int height, Kernel kernel) {
  const Taps taps = make_taps(image.size.height_px, height, kernel);
  Image out = Image::blank({image.size.width_px, height}, image.channels);
  const std::size_t row_size = image.row_size_bytes();
  std::vector<std::int32_t> sums(row_size);
  for (int y = 0; y < height; ++y) {
    const auto [first, count] = taps.windows[static_cast<std::size_t>(y)];
    const std::int32_t* weights = taps.weights_of(y);
    std::fill(sums.begin(), sums.end(), 1 << (kFractionBits - 1));
    std::int32_t* sum = sums.data();
    for (int i = 0; i < count; ++i) {
      const std::uint8_t* in = image.row(first + i);
      const std::int32_t weight = weights[i];
      for (std::size_t x = 0; x < row_size; ++x) sum[x] += in[x] * weight;
    }
    std::uint8_t* to = out.row(y);
    for (std::size_t x = 0; x < row_size; ++x) to[x] = to_byte(sum[x]);
  }
  return out;
}

// Positions are added up, not multiplied out: the rounding is part of the result.
std::vector<int> nearest_positions(int in_size, int out_size) {
  std::vector<int> positions(static_cast<std::size_t>(out_size));
  const double scale = static_cast<double>(in_size) / out_size;
  double position = scale * 0.5;
  for (auto& in : positions) {
    in = std::min(static_cast<int>(position), in_size - 1);
    position += scale;
  }
  return positions;
}

Image resize_nearest(const Image& image, ImageSize size) {
  const auto columns = nearest_positions(image.size.width_px, size.width_px);
  const auto rows = nearest_positions(image.size.height_px, size.height_px);
  Image out = Image::blank(size, image.channels);
  std::uint8_t* to = out.pixels.data();
  for (const int y : rows) {
    const std::uint8_t* from = image.row(y);
    for (const int x : columns) to = std::copy_n(from + x * image.channels, image.channels, to);
  }
  return out;
}

void premultiply(Image& image) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
    std::uint8_t* pixel = image.pixels.data() + i;
    for (int c = 0; c < 3; ++c) {
      const int product = pixel[c] * pixel[3] + 128;
      pixel[c] = static_cast<std::uint8_t>(((product >> 8) + product) >> 8);
    }
  }
}

void unpremultiply(Image& image) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
    std::uint8_t* pixel = image.pixels.data() + i;
    const int alpha = pixel[3];
    if (alpha == 0 || alpha == 255) continue;
    for (int c = 0; c < 3; ++c) {
      pixel[c] = static_cast<std::uint8_t>(std::min(255, 255 * pixel[c] / alpha));
    }
  }
}

}  // namespace

Image resize(const Image& image, ImageSize size, ResizeFilter filter) {
  LIMNER_CHECK(size.width_px >= 1 && size.height_px >= 1 && !image.pixels.empty());
  LIMNER_CHECK(image.channels == 1 || image.channels == 3 || image.channels == 4);
  if (image.size == size) return image;
  if (filter == ResizeFilter::Nearest) return resize_nearest(image, size);
  const Kernel kernel = kernel_of(filter);
  Image out = image;
  if (out.channels == 4) premultiply(out);
  if (out.size.width_px != size.width_px) out = resample_width(out, size.width_px, kernel);
  if (out.size.height_px != size.height_px) out = resample_height(out, size.height_px, kernel);
  if (out.channels == 4) unpremultiply(out);
  return out;
}

Image fit_inside(const Image& image, ImageSize size, ResizeFilter filter) {
  const double scale = std::min(static_cast<double>(size.width_px) / image.size.width_px,
                                static_cast<double>(size.height_px) / image.size.height_px);
  const auto side = [&](int px, int px_max) {
    return std::clamp(static_cast<int>(std::lround(px * scale)), 1, px_max);
  };
  const Image copy = resize(
      image, {side(image.size.width_px, size.width_px), side(image.size.height_px, size.height_px)},
      filter);
  const int left_px = (size.width_px - copy.size.width_px) / 2;
  const int top_px = (size.height_px - copy.size.height_px) / 2;
  return extend(copy, {.left_px = left_px,
                       .top_px = top_px,
                       .right_px = size.width_px - copy.size.width_px - left_px,
                       .bottom_px = size.height_px - copy.size.height_px - top_px});
}

}  // namespace limner::codec
