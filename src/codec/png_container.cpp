// PNG: 8 bytes of magic, then chunks of length, type, data and CRC up to IEND.
#include "codec/container.hpp"
#include "codec/errors.hpp"

namespace limner::codec {
namespace {

constexpr std::size_t kMagicBytes = 8;
constexpr std::size_t kChunkOverheadBytes = 12;
constexpr std::uint32_t kLargestSide = 0x7fffffff;

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<void> read_header_chunk(Bytes data, Container& file) {
  if (data.size() != 13) return invalid_image("the PNG file has a damaged header");
  const auto width = *read_u32(data, 0, ByteOrder::Big);
  const auto height = *read_u32(data, 4, ByteOrder::Big);
  if (width > kLargestSide || height > kLargestSide) {
    return invalid_image("the PNG file has a damaged header");
  }
  file.size = {static_cast<int>(width), static_cast<int>(height)};
  file.bits = data[8];
  file.needs_whole_image = data[12] != 0;
  switch (data[9]) {
    case 0:
    case 3:
      file.channels = 1;
      break;
    case 2:
      file.channels = 3;
      break;
    case 4:
      file.channels = 2;
      break;
    case 6:
      file.channels = 4;
      break;
    default:
      return invalid_image("the PNG file has an unknown colour type");
  }
  file.has_alpha = data[9] == 4 || data[9] == 6;
  return {};
}

// keyword, NUL, Latin-1 text.
void read_latin1_text(Bytes data, Container& file) {
  const auto text = as_text(data);
  const auto end = text.find('\0');
  if (end == text.npos) return;
  file.texts.push_back(
      {.keyword = text.substr(0, end), .text = text.substr(end + 1), .is_utf8 = false});
}

// keyword, NUL, compression flag and method, language, NUL, translated keyword, NUL, UTF-8 text.
// Compressed text is passed over: nobody who writes generation settings compresses them.
void read_utf8_text(Bytes data, Container& file) {
  const auto text = as_text(data);
  const auto keyword_end = text.find('\0');
  if (keyword_end == text.npos || keyword_end + 3 > text.size()) return;
  if (text[keyword_end + 1] != 0) return;
  const auto language_end = text.find('\0', keyword_end + 3);
  if (language_end == text.npos) return;
  const auto translated_end = text.find('\0', language_end + 1);
  if (translated_end == text.npos) return;
  file.texts.push_back({.keyword = text.substr(0, keyword_end),
                        .text = text.substr(translated_end + 1),
                        .is_utf8 = true});
}

void read_chunk(std::string_view type, Bytes data, Container& file) {
  if (type == "acTL") file.is_animated = true;
  if (type == "tRNS") file.has_alpha = true;
  if (type == "eXIf") file.exif = data;
  if (type == "tEXt") read_latin1_text(data, file);
  if (type == "iTXt") read_utf8_text(data, file);
}

bool holds_pixels(std::string_view type) {
  return type == "IHDR" || type == "PLTE" || type == "tRNS" || type == "IDAT" || type == "IEND";
}

}  // namespace

Result<Container> read_png_container(Bytes bytes) {
  Container file{.format = ImageFormat::Png};
  std::size_t offset = kMagicBytes;
  bool is_first = true;
  for (;;) {
    const auto length = read_u32(bytes, offset, ByteOrder::Big);
    const auto type_bytes = slice(bytes, offset + 4, 4);
    const auto data = length && type_bytes ? slice(bytes, offset + 8, *length) : std::nullopt;
    if (!data || !slice(bytes, offset + 8, *length + std::size_t{4})) {
      return invalid_image("the PNG file is cut off");
    }
    const auto type = as_text(*type_bytes);
    if (is_first != (type == "IHDR")) return invalid_image("the PNG file has a damaged header");
    if (is_first) {
      auto header = read_header_chunk(*data, file);
      if (!header) return header.error();
    }
    is_first = false;
    read_chunk(type, *data, file);
    offset += kChunkOverheadBytes + *length;
    if (!holds_pixels(type)) file.metadata_size_bytes += kChunkOverheadBytes + *length;
    if (type == "IEND") break;
  }
  // Bytes after the end are never read; they count, so that they cannot be many.
  file.metadata_size_bytes += bytes.size() - offset;
  return file;
}

}  // namespace limner::codec
