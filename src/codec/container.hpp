// What an image file says of itself: its chunks or segments walked without decoding a pixel. The
// views point into the file's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "codec/byte_reader.hpp"
#include "codec/image_format.hpp"
#include "core/image.hpp"

namespace limner::codec {

// A PNG text chunk or JPEG comment. Comments have no keyword.
struct TextEntry {
  std::string_view keyword;
  std::string_view text;
  bool is_utf8 = true;  // false: Latin-1
};

struct Container {
  ImageFormat format = ImageFormat::Png;
  ImageSize size = {};  // as stored, before the EXIF orientation
  int channels = 3;     // as stored: 1 grey or palette, 2 grey + alpha, 3, or 4 (RGBA or CMYK)
  int bits = 8;         // per channel as stored
  bool has_alpha = false;
  bool is_animated = false;
  bool needs_whole_image = false;       // interlaced or progressive: the decoder buffers everything
  std::size_t metadata_size_bytes = 0;  // everything but pixels and what is needed to decode them
  Bytes exif = {};  // TIFF structure, without JPEG's "Exif" prefix; empty when there is none
  std::vector<TextEntry> texts = {};
};

// Errors: unsupported_image, invalid_image. Sizes are not judged here.
Result<Container> read_container(Bytes bytes);

// One walker for each format; `bytes` begin with its magic.
Result<Container> read_png_container(Bytes bytes);
Result<Container> read_jpeg_container(Bytes bytes);
Result<Container> read_webp_container(Bytes bytes);

}  // namespace limner::codec
