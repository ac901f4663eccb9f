#include "api/picture_names.hpp"

#include <algorithm>
#include <array>

namespace limner::api {
namespace {

constexpr std::array<std::string_view, 6> kImages = {"image",        "images", "input_image",
                                                     "input_images", "url",    "reference_image"};
constexpr std::array<std::string_view, 2> kMasks = {"mask", "mask_image"};

}  // namespace

std::span<const std::string_view> image_names() {
  return kImages;
}

std::span<const std::string_view> mask_names() {
  return kMasks;
}

bool is_image_name(std::string_view name) {
  return std::ranges::find(kImages, name) != kImages.end();
}

bool is_mask_name(std::string_view name) {
  return std::ranges::find(kMasks, name) != kMasks.end();
}

bool is_picture_name(std::string_view name) {
  return is_image_name(name) || is_mask_name(name);
}

}  // namespace limner::api
