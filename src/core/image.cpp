#include "core/image.hpp"

#include <charconv>

namespace limner {
namespace {

std::optional<int> parse_side(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  int side = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), side);
  if (status != std::errc{} || end != text.data() + text.size() || side < 1) return std::nullopt;
  return side;
}

}  // namespace

std::optional<ImageSize> parse_image_size(std::string_view text) {
  const auto cross = text.find('x');
  if (cross == text.npos) return std::nullopt;
  const auto width = parse_side(text.substr(0, cross));
  const auto height = parse_side(text.substr(cross + 1));
  if (!width || !height) return std::nullopt;
  return ImageSize{.width_px = *width, .height_px = *height};
}

std::string to_string(ImageSize size) {
  return std::to_string(size.width_px) + "x" + std::to_string(size.height_px);
}

Image Image::blank(ImageSize size, int channels, std::uint8_t value) {
  const auto count = static_cast<std::size_t>(size.width_px) *
                     static_cast<std::size_t>(size.height_px) * static_cast<std::size_t>(channels);
  return {.size = size, .channels = channels, .pixels = std::vector<std::uint8_t>(count, value)};
}

}  // namespace limner
