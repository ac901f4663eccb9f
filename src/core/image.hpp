// Pixels in memory: 8 bits a channel, interleaved, rows from the top, no padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limner {

struct ImageSize {
  int width_px = 0;
  int height_px = 0;

  friend bool operator==(const ImageSize&, const ImageSize&) = default;
};

// "512x768", width first.
std::string to_string(ImageSize size);

// Two numbers from 1 to 99999 with x, X, × or * between; blanks around them do not count.
std::optional<ImageSize> parse_image_size(std::string_view text);

// channels: 1 grey, 3 RGB, 4 RGBA with straight (not premultiplied) alpha; sRGB.
struct Image {
  ImageSize size;
  int channels = 3;
  std::vector<std::uint8_t> pixels;  // [H, W, channels]

  static Image blank(ImageSize size, int channels, std::uint8_t value = 0);
  std::size_t row_size_bytes() const {
    return static_cast<std::size_t>(size.width_px) * static_cast<std::size_t>(channels);
  }
  std::uint8_t* row(int y) {
    return pixels.data() + row_size_bytes() * static_cast<std::size_t>(y);
  }
  const std::uint8_t* row(int y) const {
    return pixels.data() + row_size_bytes() * static_cast<std::size_t>(y);
  }
};

// What to repaint: one channel, 255 = repaint, 0 = keep, whatever the dialect's own polarity was.
struct Mask {
  Image grey;
};

}  // namespace limner
