#include "codec/encode.hpp"

#include <fmt/format.h>

#include "base/check.hpp"
#include "codec/encoders.hpp"
#include "codec/errors.hpp"
#include "codec/pixels.hpp"

namespace limner::codec {
namespace {

int side_px_max(ImageFormat format) {
  switch (format) {
    case ImageFormat::Png:
      return 1'000'000;  // libpng's own limit
    case ImageFormat::Jpeg:
      return 65'500;
    case ImageFormat::Webp:
      return 16'383;
  }
  return 0;
}

Result<void> check(const Image& image, const EncodeOptions& options) {
  const auto [width, height] = image.size;
  LIMNER_CHECK(width >= 1 && height >= 1 &&
               image.pixels.size() == image.row_size_bytes() * static_cast<std::size_t>(height));
  LIMNER_CHECK(image.channels == 1 || image.channels == 3 || image.channels == 4);
  if (options.quality < 0 || options.quality > 100) {
    return invalid_value(
        "output_compression",
        fmt::format("output_compression: got {}, expected 0 to 100", options.quality));
  }
  const int side_max = side_px_max(options.format);
  if (width > side_max || height > side_max) {
    return image_too_large(fmt::format("a {} file has at most {} pixels a side, got {}x{}",
                                       to_string(options.format), side_max, width, height));
  }
  if (options.format == ImageFormat::Jpeg && image.channels == 4 && !options.flattens_alpha) {
    return invalid_value("output_format",
                         "output_format: jpeg has no transparency, use png or webp",
                         "unsupported_output_format");
  }
  return {};
}

}  // namespace

Result<std::vector<std::uint8_t>> encode_image(const Image& image, const EncodeOptions& options) {
  const auto checked = check(image, options);
  if (!checked) return checked.error();
  switch (options.format) {
    case ImageFormat::Png:
      return encode_png(image, options.metadata);
    case ImageFormat::Jpeg:
      return encode_jpeg(image.channels == 4 ? flatten_alpha(image) : image, options.quality,
                         options.metadata);
    case ImageFormat::Webp:
      return encode_webp(image.channels == 1 ? to_rgb(image) : image, options.quality,
                         options.metadata);
  }
  return Error{};
}

}  // namespace limner::codec
