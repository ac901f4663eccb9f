#include "core/image.hpp"

namespace limner {

std::string to_string(ImageSize size) {
  return std::to_string(size.width_px) + "x" + std::to_string(size.height_px);
}

Image Image::blank(ImageSize size, int channels, std::uint8_t value) {
  const auto count = static_cast<std::size_t>(size.width_px) *
                     static_cast<std::size_t>(size.height_px) * static_cast<std::size_t>(channels);
  return {.size = size, .channels = channels, .pixels = std::vector<std::uint8_t>(count, value)};
}

}  // namespace limner
