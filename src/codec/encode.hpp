// Pixels → image file.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "codec/image_format.hpp"
#include "codec/metadata.hpp"
#include "core/image.hpp"

namespace limner::codec {

struct EncodeOptions {
  ImageFormat format = ImageFormat::Png;
  // 0 to 100, `output_compression` of the images API. JPEG: libjpeg's quality (0 acts as 1),
  // 4:4:4 colour from 90 on. WebP: lossy below 100, lossless at 100. PNG: no effect.
  int quality = 100;
  // JPEG has no alpha: true lays RGBA on white first, false refuses it.
  bool flattens_alpha = false;
  Metadata metadata = {};
};

// 1, 3 or 4 channels. Errors: InvalidArgument for JPEG from RGBA (code
// "unsupported_output_format"), sides beyond the format's own (65,500 JPEG, 16,383 WebP:
// image_too_large); Unavailable when memory is short.
Result<std::vector<std::uint8_t>> encode_image(const Image& image, const EncodeOptions& options);

}  // namespace limner::codec
