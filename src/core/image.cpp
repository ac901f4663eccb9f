#include "core/image.hpp"

#include <array>

#include "base/text.hpp"

namespace limner {
namespace {

std::optional<int> parse_side(std::string_view text) {
  constexpr std::size_t kDigitsMax = 5;
  text = trim(text);
  if (text.size() > kDigitsMax) return std::nullopt;
  const auto side = parse_number<int>(text);
  return side.value_or(0) >= 1 ? side : std::nullopt;
}

// What people write between width and height.
constexpr std::array<std::string_view, 4> kCrosses = {"x", "X", "*", "\u00d7"};

}  // namespace

std::optional<ImageSize> parse_image_size(std::string_view text) {
  for (const auto cross : kCrosses) {
    const auto at = text.find(cross);
    if (at == text.npos) continue;
    const auto width = parse_side(text.substr(0, at));
    const auto height = parse_side(text.substr(at + cross.size()));
    if (width && height) return ImageSize{.width_px = *width, .height_px = *height};
  }
  return std::nullopt;
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
