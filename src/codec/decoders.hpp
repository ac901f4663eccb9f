// One library each, behind one shape. `image` is already allocated with the container's size and
// 3 or 4 channels; the decoder fills it.
#pragma once

#include "base/result.hpp"
#include "codec/byte_reader.hpp"
#include "codec/container.hpp"
#include "core/image.hpp"

namespace limner::codec {

Result<void> decode_png(Bytes bytes, Image& image);
Result<void> decode_jpeg(Bytes bytes, Image& image);
Result<void> decode_webp(Bytes bytes, Image& image);

}  // namespace limner::codec
