// WebP: a RIFF file of chunks with type, length, data and a padding byte.
#include <algorithm>

#include <webp/decode.h>

#include "codec/container.hpp"
#include "codec/errors.hpp"

namespace limner::codec {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kRiffHeaderBytes = 12;
constexpr std::size_t kChunkHeaderBytes = 8;

bool holds_pixels(std::string_view type) {
  return type == "VP8 " || type == "VP8L" || type == "VP8X" || type == "ALPH" || type == "ANIM" ||
         type == "ANMF";
}

void read_exif(Bytes data, Container& file) {
  // Some writers keep JPEG's prefix.
  constexpr auto kPrefix = "Exif\0\0"sv;
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  file.exif = text.starts_with(kPrefix) ? data.subspan(kPrefix.size()) : data;
}

}  // namespace

Result<Container> read_webp_container(Bytes bytes) {
  Container file{.format = ImageFormat::Webp};
  const std::size_t riff_size = *read_u32(bytes, 4, ByteOrder::Little);
  if (riff_size > bytes.size() - kChunkHeaderBytes) {
    return invalid_image("the WebP file is cut off");
  }
  const std::size_t end = riff_size + kChunkHeaderBytes;
  std::size_t offset = kRiffHeaderBytes;
  while (offset + kChunkHeaderBytes <= end) {
    const auto* chunk = bytes.data() + offset;
    const std::string_view type(reinterpret_cast<const char*>(chunk), 4);
    const std::size_t length = *read_u32(bytes, offset + 4, ByteOrder::Little);
    const auto data = slice(bytes.first(end), offset + kChunkHeaderBytes, length);
    if (!data) return invalid_image("the WebP file is cut off");
    if (type == "EXIF" && file.exif.empty()) read_exif(*data, file);
    if (!holds_pixels(type)) file.metadata_size_bytes += kChunkHeaderBytes + length;
    offset += kChunkHeaderBytes + length + (length & 1);
  }
  file.metadata_size_bytes += bytes.size() - std::min(offset, bytes.size());

  WebPBitstreamFeatures features;
  const auto status = WebPGetFeatures(bytes.data(), end, &features);
  if (status != VP8_STATUS_OK) return invalid_image("the WebP file has a damaged header");
  file.size = {features.width, features.height};
  file.has_alpha = features.has_alpha != 0;
  file.channels = file.has_alpha ? 4 : 3;
  file.is_animated = features.has_animation != 0;
  return file;
}

}  // namespace limner::codec
