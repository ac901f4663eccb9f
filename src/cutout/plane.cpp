#include "cutout/plane.hpp"

#include <algorithm>
#include <cmath>

namespace limner::cutout {
namespace {

std::size_t area(ImageSize size) {
  return static_cast<std::size_t>(size.width_px) * static_cast<std::size_t>(size.height_px);
}

// Running sums along rows.
Plane row_mean(const Plane& plane, int radius) {
  const int width = plane.size.width_px;
  Plane out(plane.size);
  for (int y = 0; y < plane.size.height_px; ++y) {
    const float* in = plane.row(y);
    float* to = out.row(y);
    double sum = 0;
    for (int x = 0; x < std::min(radius, width); ++x) sum += in[x];
    for (int x = 0; x < width; ++x) {
      if (x + radius < width) sum += in[x + radius];
      if (x - radius - 1 >= 0) sum -= in[x - radius - 1];
      const int count = std::min(x + radius, width - 1) - std::max(x - radius, 0) + 1;
      to[x] = static_cast<float>(sum / count);
    }
  }
  return out;
}

// The same along columns, all columns at once so that memory is read in order.
Plane column_mean(const Plane& plane, int radius) {
  const auto [width, height] = plane.size;
  Plane out(plane.size);
  std::vector<double> sums(static_cast<std::size_t>(width), 0.0);
  const auto add = [&](int y, double sign) {
    const float* in = plane.row(y);
    for (int x = 0; x < width; ++x) sums[static_cast<std::size_t>(x)] += sign * in[x];
  };
  for (int y = 0; y < std::min(radius, height); ++y) add(y, 1);
  for (int y = 0; y < height; ++y) {
    if (y + radius < height) add(y + radius, 1);
    if (y - radius - 1 >= 0) add(y - radius - 1, -1);
    const int count = std::min(y + radius, height - 1) - std::max(y - radius, 0) + 1;
    const double scale = 1.0 / count;
    float* to = out.row(y);
    for (int x = 0; x < width; ++x) {
      to[x] = static_cast<float>(sums[static_cast<std::size_t>(x)] * scale);
    }
  }
  return out;
}

}  // namespace

Plane::Plane(ImageSize plane_size, float value) : size(plane_size), values(area(size), value) {}

RgbPlanes to_planes(const Image& rgb) {
  RgbPlanes planes = {Plane(rgb.size), Plane(rgb.size), Plane(rgb.size)};
  for (std::size_t i = 0; i < area(rgb.size); ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      planes[c].values[i] = static_cast<float>(rgb.pixels[i * 3 + c]) / 255.0f;
    }
  }
  return planes;
}

Plane box_mean(const Plane& plane, int radius_px) {
  return column_mean(row_mean(plane, radius_px), radius_px);
}

Plane multiply(const Plane& a, const Plane& b) {
  Plane out(a.size);
  for (std::size_t i = 0; i < out.values.size(); ++i) out.values[i] = a.values[i] * b.values[i];
  return out;
}

ImageSize shrink_to(ImageSize size, int side_px_max) {
  const int longest = std::max(size.width_px, size.height_px);
  if (longest <= side_px_max) return size;
  const auto scaled = [&](int side) {
    return std::max(
        1, static_cast<int>(std::lround(static_cast<double>(side) * side_px_max / longest)));
  };
  return {scaled(size.width_px), scaled(size.height_px)};
}

Sampler::Sampler(ImageSize from, ImageSize to) : from_(from), to_(to) {
  columns_.reserve(static_cast<std::size_t>(to.width_px));
  for (int x = 0; x < to.width_px; ++x) {
    columns_.push_back(tap_of(x, from.width_px, to.width_px));
  }
}

void Sampler::set_row(int y) {
  row_ = tap_of(y, from_.height_px, to_.height_px);
}

float Sampler::at(const Plane& plane, int x) const {
  const Tap& column = columns_[static_cast<std::size_t>(x)];
  const float* above = plane.row(row_.first);
  const float* below = plane.row(row_.second);
  const auto mix = [](float a, float b, float weight) { return a + (b - a) * weight; };
  return mix(mix(above[column.first], above[column.second], column.second_weight),
             mix(below[column.first], below[column.second], column.second_weight),
             row_.second_weight);
}

Sampler::Tap Sampler::tap_of(int position, int from_count, int to_count) {
  const double scale = static_cast<double>(from_count) / to_count;
  const double source = std::clamp((position + 0.5) * scale - 0.5, 0.0, from_count - 1.0);
  const int first = static_cast<int>(source);
  return {.first = first,
          .second = std::min(first + 1, from_count - 1),
          .second_weight = static_cast<float>(source - first)};
}

}  // namespace limner::cutout
