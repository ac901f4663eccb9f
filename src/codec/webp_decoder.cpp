#include <webp/decode.h>

#include "codec/decoders.hpp"
#include "codec/errors.hpp"

namespace limner::codec {

Result<void> decode_webp(Bytes bytes, Image& image) {
  const auto stride = static_cast<int>(image.row_size_bytes());
  const auto* pixels = image.channels == 4
                           ? WebPDecodeRGBAInto(bytes.data(), bytes.size(), image.pixels.data(),
                                                image.pixels.size(), stride)
                           : WebPDecodeRGBInto(bytes.data(), bytes.size(), image.pixels.data(),
                                               image.pixels.size(), stride);
  if (!pixels) return invalid_image("the WebP file is damaged or cut off");
  return {};
}

}  // namespace limner::codec
