// Image file → pixels. Everything that can be refused is refused before a pixel is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "codec/image_format.hpp"
#include "core/image.hpp"
#include "core/limits.hpp"

namespace limner::codec {

struct DecodeLimits {
  int side_px_max = Limits{}.side_px_max;
  // Callers lower it to what their model can use.
  std::size_t pixels_max = Limits{}.decoded_pixels_max;
  std::size_t metadata_bytes_max = Limits{}.image_metadata_bytes_max;
};

struct ImageHeader {
  ImageFormat format = ImageFormat::Png;
  ImageSize size = {};  // upright: as decode_image will give it
  int channels = 3;     // of the decoded picture: 3, or 4 with alpha
  int bits = 8;         // per channel in the file
  int orientation = 1;  // EXIF, 1 to 8; already accounted for in `size`
  // An upper estimate of what decode_image needs, to add up against Limits::decoding_bytes_max.
  std::size_t decoding_size_bytes = 0;
};

// Errors, all of kind InvalidArgument: unsupported_image (format, animation), image_too_large,
// invalid_image (damaged or cut off). They name no field; the caller knows which it was.
Result<ImageHeader> read_header(std::span<const std::uint8_t> bytes,
                                const DecodeLimits& limits = {});

// RGB, or RGBA if the file has alpha; 8 bits, upright. Grey is spread over the three channels, 16
// bits are rounded to 8, CMYK becomes RGB, colour profiles are ignored.
Result<Image> decode_image(std::span<const std::uint8_t> bytes, const DecodeLimits& limits = {});

}  // namespace limner::codec
