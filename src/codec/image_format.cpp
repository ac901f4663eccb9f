#include "codec/image_format.hpp"

#include "codec/errors.hpp"

namespace limner::codec {
namespace {

using namespace std::string_view_literals;

bool has_at(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view magic) {
  if (bytes.size() < offset + magic.size()) return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    if (bytes[offset + i] != static_cast<unsigned char>(magic[i])) return false;
  }
  return true;
}

}  // namespace

std::string_view to_string(ImageFormat format) {
  switch (format) {
    case ImageFormat::Png:
      return "png";
    case ImageFormat::Jpeg:
      return "jpeg";
    case ImageFormat::Webp:
      return "webp";
  }
  return {};
}

std::string_view mime_type(ImageFormat format) {
  switch (format) {
    case ImageFormat::Png:
      return "image/png";
    case ImageFormat::Jpeg:
      return "image/jpeg";
    case ImageFormat::Webp:
      return "image/webp";
  }
  return {};
}

std::string_view file_extension(ImageFormat format) {
  return format == ImageFormat::Jpeg ? "jpg" : to_string(format);
}

std::optional<ImageFormat> parse_image_format(std::string_view name) {
  if (name == "png") return ImageFormat::Png;
  if (name == "jpeg" || name == "jpg") return ImageFormat::Jpeg;
  if (name == "webp") return ImageFormat::Webp;
  return std::nullopt;
}

Result<ImageFormat> sniff(std::span<const std::uint8_t> bytes) {
  if (has_at(bytes, 0, "\x89PNG\r\n\x1a\n"sv)) return ImageFormat::Png;
  if (has_at(bytes, 0, "\xff\xd8\xff"sv)) return ImageFormat::Jpeg;
  if (has_at(bytes, 0, "RIFF"sv) && has_at(bytes, 8, "WEBP"sv)) return ImageFormat::Webp;
  return unsupported_image("not a PNG, JPEG or WebP file");
}

}  // namespace limner::codec
