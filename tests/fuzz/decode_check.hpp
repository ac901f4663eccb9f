// What holds for every file a decoder is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.hpp"
#include "codec/decode.hpp"

namespace limner::codec {

// The header tells the truth about the picture; what the header refuses is never decoded.
inline void check_decode(std::span<const std::uint8_t> bytes) {
  // Small, so that the fuzzer's time goes into parsers and not into pixels.
  const DecodeLimits limits{
      .side_px_max = 512, .pixels_max = 64 * 1'024, .metadata_bytes_max = 64 * 1'024};
  const auto header = read_header(bytes, limits);
  const auto image = decode_image(bytes, limits);
  if (!image) {
    LIMNER_CHECK(image.error().kind == ErrorKind::InvalidArgument);
    LIMNER_CHECK(!image.error().code.empty() && !image.error().message.empty());
    return;
  }
  LIMNER_CHECK(header.has_value());
  LIMNER_CHECK(header->size == image->size && header->channels == image->channels);
  LIMNER_CHECK(image->pixels.size() ==
               image->row_size_bytes() * static_cast<std::size_t>(image->size.height_px));
  LIMNER_CHECK(image->pixels.size() <= header->decoding_size_bytes);
}

}  // namespace limner::codec
