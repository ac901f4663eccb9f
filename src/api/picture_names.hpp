// The fields that pictures come in, whether as files or as text. Their lists (`image[]`,
// `image[0]`) have the same names.
#pragma once

#include <span>
#include <string_view>

namespace limner::api {

// OpenAI's, Bifrost's, Nebula's, vLLM-Omni's and SGLang's, the documented one first.
std::span<const std::string_view> image_names();
std::span<const std::string_view> mask_names();

bool is_image_name(std::string_view name);
bool is_mask_name(std::string_view name);
bool is_picture_name(std::string_view name);

}  // namespace limner::api
