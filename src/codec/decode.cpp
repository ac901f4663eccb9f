#include "codec/decode.hpp"

#include <utility>

#include <fmt/format.h>

#include "codec/container.hpp"
#include "codec/decoders.hpp"
#include "codec/errors.hpp"
#include "codec/exif.hpp"
#include "codec/orientation.hpp"

namespace limner::codec {
namespace {

Result<void> check_limits(const Container& file, const DecodeLimits& limits) {
  const auto [width, height] = file.size;
  if (width < 1 || height < 1) return invalid_image("the picture has no pixels");
  if (width > limits.side_px_max || height > limits.side_px_max) {
    return image_too_large(fmt::format("got a picture of {}x{}, at most {} pixels a side are read",
                                       width, height, limits.side_px_max));
  }
  const auto pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  if (pixels > limits.pixels_max) {
    return image_too_large(fmt::format("got a picture of {}x{}, at most {} pixels are read", width,
                                       height, limits.pixels_max));
  }
  if (file.metadata_size_bytes > limits.metadata_bytes_max) {
    return image_too_large(fmt::format("got {} bytes of metadata, at most {} are read",
                                       file.metadata_size_bytes, limits.metadata_bytes_max));
  }
  if (file.is_animated) {
    return unsupported_image("got an animated picture, expected a single frame");
  }
  return {};
}

Result<Container> read_checked(Bytes bytes, const DecodeLimits& limits) {
  auto file = read_container(bytes);
  if (!file) return file;
  const auto checked = check_limits(*file, limits);
  if (!checked) return checked.error();
  return file;
}

ImageHeader to_header(const Container& file) {
  ImageHeader header{.format = file.format,
                     .size = file.size,
                     .channels = file.has_alpha ? 4 : 3,
                     .bits = file.bits,
                     .orientation = exif_orientation(file.exif)};
  if (swaps_sides(header.orientation)) std::swap(header.size.width_px, header.size.height_px);
  const auto pixels =
      static_cast<std::size_t>(file.size.width_px) * static_cast<std::size_t>(file.size.height_px);
  // Progressive JPEG keeps two bytes for every coefficient, WebP a whole picture of its own.
  std::size_t pixel_size_bytes = static_cast<std::size_t>(header.channels);
  if (file.format == ImageFormat::Jpeg && file.needs_whole_image) {
    pixel_size_bytes += static_cast<std::size_t>(file.channels) * 2;
  }
  if (file.format == ImageFormat::Webp) pixel_size_bytes += 4;
  if (header.orientation != 1) pixel_size_bytes += static_cast<std::size_t>(header.channels);
  constexpr std::size_t kLibraryBytes = 1 << 20;
  header.decoding_size_bytes = pixels * pixel_size_bytes + kLibraryBytes;
  return header;
}

Result<void> decode_pixels(ImageFormat format, Bytes bytes, Image& image) {
  switch (format) {
    case ImageFormat::Png:
      return decode_png(bytes, image);
    case ImageFormat::Jpeg:
      return decode_jpeg(bytes, image);
    case ImageFormat::Webp:
      return decode_webp(bytes, image);
  }
  return Error{};
}

}  // namespace

Result<ImageHeader> read_header(Bytes bytes, const DecodeLimits& limits) {
  const auto file = read_checked(bytes, limits);
  if (!file) return file.error();
  return to_header(*file);
}

Result<Image> decode_image(Bytes bytes, const DecodeLimits& limits) {
  const auto file = read_checked(bytes, limits);
  if (!file) return file.error();
  Image image = Image::blank(file->size, file->has_alpha ? 4 : 3);
  const auto decoded = decode_pixels(file->format, bytes, image);
  if (!decoded) return decoded.error();
  return apply_orientation(std::move(image), exif_orientation(file->exif));
}

}  // namespace limner::codec
