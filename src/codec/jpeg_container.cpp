// JPEG: markers ff xx, most followed by a length and data, up to the first scan.
#include "codec/container.hpp"
#include "codec/errors.hpp"

namespace limner::codec {
namespace {

using namespace std::string_view_literals;

constexpr std::uint32_t kStartOfScan = 0xda;
constexpr std::uint32_t kEndOfImage = 0xd9;
constexpr std::uint32_t kComment = 0xfe;
constexpr std::uint32_t kApp0 = 0xe0;
constexpr std::uint32_t kApp1 = 0xe1;
constexpr std::uint32_t kApp15 = 0xef;

// SOF0 to SOF15, without DHT, JPG and DAC, which lie between them.
bool is_frame_header(std::uint32_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// Sequential and progressive, Huffman and arithmetic; not lossless, not hierarchical.
bool is_known_frame(std::uint32_t marker) {
  return marker <= 0xc2 || marker == 0xc9 || marker == 0xca;
}

Result<void> read_frame_header(std::uint32_t marker, Bytes data, Container& file) {
  if (!is_known_frame(marker)) {
    return unsupported_image("lossless and hierarchical JPEG files are not supported");
  }
  if (data.size() < 6) return invalid_image("the JPEG file has a damaged header");
  file.bits = data[0];
  file.size = {static_cast<int>(*read_u16(data, 3, ByteOrder::Big)),
               static_cast<int>(*read_u16(data, 1, ByteOrder::Big))};
  file.channels = data[5];
  file.needs_whole_image = marker == 0xc2 || marker == 0xca;
  if (file.bits != 8) return unsupported_image("JPEG files with 8 bits a channel are supported");
  if (file.channels != 1 && file.channels != 3 && file.channels != 4) {
    return unsupported_image("JPEG files with 1, 3 or 4 channels are supported");
  }
  return {};
}

void read_metadata_segment(std::uint32_t marker, Bytes data, Container& file) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  constexpr auto kExifPrefix = "Exif\0\0"sv;
  if (marker == kApp1 && text.starts_with(kExifPrefix) && file.exif.empty()) {
    file.exif = data.subspan(kExifPrefix.size());
  }
  if (marker == kComment) file.texts.push_back({.keyword = {}, .text = text, .is_utf8 = true});
}

}  // namespace

Result<Container> read_jpeg_container(Bytes bytes) {
  const auto cut_off = [] { return invalid_image("the JPEG file is cut off"); };
  Container file{.format = ImageFormat::Jpeg};
  bool has_frame = false;
  std::size_t offset = 2;
  for (;;) {
    // Padding and junk before a marker are passed over, as every decoder does, and counted.
    const std::size_t junk_begin = offset;
    while (offset < bytes.size() && bytes[offset] != 0xff) ++offset;
    while (offset < bytes.size() && bytes[offset] == 0xff) ++offset;
    file.metadata_size_bytes += offset - junk_begin;
    if (offset >= bytes.size()) return cut_off();
    const std::uint32_t marker = bytes[offset++];
    const bool stands_alone = marker <= 1 || (marker >= 0xd0 && marker <= 0xd8);
    if (stands_alone) continue;
    if (marker == kEndOfImage) return invalid_image("the JPEG file has no picture");
    const auto length = read_u16(bytes, offset, ByteOrder::Big);
    if (!length) return cut_off();
    if (*length < 2) return invalid_image("the JPEG file has a damaged segment");
    const auto data = slice(bytes, offset + 2, *length - 2);
    if (!data) return cut_off();
    offset += *length;
    if (is_frame_header(marker)) {
      if (has_frame) return invalid_image("the JPEG file has two headers");
      auto header = read_frame_header(marker, *data, file);
      if (!header) return header.error();
      has_frame = true;
    }
    if ((marker >= kApp0 && marker <= kApp15) || marker == kComment) {
      file.metadata_size_bytes += *length;
      read_metadata_segment(marker, *data, file);
    }
    if (marker == kStartOfScan) break;
  }
  if (!has_frame) return invalid_image("the JPEG file has no header before its pixels");
  return file;
}

}  // namespace limner::codec
