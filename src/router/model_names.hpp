// Model names as the clients of other servers write them.
#pragma once

#include <optional>
#include <string_view>

namespace limner::router {

// "openai/gpt-image-1" → "gpt-image-1". Empty where the word before the first slash is no provider
// that Bifrost or litellm knows, as in "black-forest-labs/FLUX.1-schnell".
std::optional<std::string_view> after_provider(std::string_view name);
// All of them, as in "openrouter/openai/gpt-image-1"; a name without any as it is.
std::string_view without_providers(std::string_view name);

// OpenAI's own, dated and future ones too: "gpt-image-2", "chatgpt-image-latest".
bool is_gpt_image(std::string_view name);
// Those and "dall-e-3".
bool is_openai_image_model(std::string_view name);

}  // namespace limner::router
