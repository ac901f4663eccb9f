// One library each, behind one shape.
#pragma once

#include "codec/encode.hpp"

namespace limner::codec {

using FileBytes = std::vector<std::uint8_t>;

inline constexpr std::string_view kParametersKey = "parameters";
inline constexpr std::string_view kJsonKey = "limner";

Result<FileBytes> encode_png(const Image& image, const Metadata& metadata);
// 1 or 3 channels.
Result<FileBytes> encode_jpeg(const Image& image, int quality, const Metadata& metadata);
// 3 or 4 channels.
Result<FileBytes> encode_webp(const Image& image, int quality, const Metadata& metadata);

inline Error out_of_memory() {
  return Error{.kind = ErrorKind::Unavailable, .message = "out of memory for a picture"};
}

}  // namespace limner::codec
