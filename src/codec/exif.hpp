// The little of EXIF that matters here: orientation, and the comment that holds settings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/byte_reader.hpp"

namespace limner::codec {

// `exif` is the TIFF structure, beginning with "II" or "MM". 1 when absent or out of range.
int exif_orientation(Bytes exif);

// UserComment as UTF-8, whatever encoding it declares.
std::optional<std::string> exif_user_comment(Bytes exif);
// ImageDescription as it is.
std::optional<std::string> exif_image_description(Bytes exif);

// A TIFF structure with UserComment (UTF-16, as stable-diffusion-webui writes it) and
// ImageDescription; empty texts are left out.
std::vector<std::uint8_t> make_exif(std::string_view user_comment, std::string_view description);

}  // namespace limner::codec
