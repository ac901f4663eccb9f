#include "diffusion/pipelines/pixels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace limner::pipelines {

std::uint8_t to_byte(float pixel) {
  // In this order of arguments what is not a number becomes 0, which a cast could not take.
  const float unit = std::min(1.0f, std::max(0.0f, pixel / 2 + 0.5f));
  return static_cast<std::uint8_t>(std::nearbyint(unit * 255.0f));
}

Image to_image(std::span<const float> pixels, ImageSize size) {
  Image image = Image::blank(size, 3);
  const std::size_t plane = pixels.size() / 3;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t i = 0; i < plane; ++i) {
      image.pixels[3 * i + channel] = to_byte(pixels[channel * plane + i]);
    }
  }
  return image;
}

std::vector<float> to_pixels(const Image& image) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t plane = image.pixels.size() / channels;
  std::vector<float> pixels(3 * plane);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const std::size_t source = std::min(channel, channels - 1);
    for (std::size_t i = 0; i < plane; ++i) {
      const float unit = static_cast<float>(image.pixels[channels * i + source]) / 255.0f;
      pixels[channel * plane + i] = 2.0f * unit - 1.0f;
    }
  }
  return pixels;
}

std::vector<float> to_binary_mask(const Image& grey) {
  std::vector<float> mask(grey.pixels.size());
  std::ranges::transform(grey.pixels, mask.begin(),
                         [](std::uint8_t value) { return value >= 128 ? 1.0f : 0.0f; });
  return mask;
}

std::vector<float> shrink_mask(std::span<const float> mask, ImageSize size, int height, int width) {
  std::vector<float> small(static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  for (int y = 0; y < height; ++y) {
    const int from_y = y * size.height_px / height;
    for (int x = 0; x < width; ++x) {
      const int from_x = x * size.width_px / width;
      small[static_cast<std::size_t>(y * width + x)] =
          mask[static_cast<std::size_t>(from_y * size.width_px + from_x)];
    }
  }
  return small;
}

}  // namespace limner::pipelines
