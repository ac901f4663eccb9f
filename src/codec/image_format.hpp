// The three file formats of the images API.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace limner::codec {

enum class ImageFormat { Png, Jpeg, Webp };

// "png", "jpeg", "webp": the values of `output_format`.
std::string_view to_string(ImageFormat format);
std::string_view mime_type(ImageFormat format);
// Without the dot: "png", "jpg", "webp".
std::string_view file_extension(ImageFormat format);
// Also takes "jpg".
std::optional<ImageFormat> parse_image_format(std::string_view name);

// By magic bytes only: names and content types of uploads say nothing. Code "unsupported_image".
Result<ImageFormat> sniff(std::span<const std::uint8_t> bytes);

}  // namespace limner::codec
