// `<lora:name:0.8>` in a prompt: which adapters it asks for. As stable-diffusion-webui reads them:
// two numbers are the strengths in the text encoders and in the denoiser, and both may be named.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace limner::tokenizers {

struct LoraTag {
  std::string name;
  float strength = 1.0f;                                      // in the denoiser
  std::optional<float> text_encoder_strength = std::nullopt;  // absent: the same

  bool operator==(const LoraTag&) const = default;
};

struct PromptWithoutTags {
  std::string prompt;  // as it came, less the tags
  std::vector<LoraTag> loras;
};

// `<lora:name>` has strength 1; `<lora:name:0.5:1>` and `<lora:name:te=0.5:unet=1>` are the same.
// An error where a tag has no name, a strength beyond ±10 or parts of another meaning, and where
// there are more than 16.
Result<PromptWithoutTags> extract_lora_tags(std::string_view prompt);

}  // namespace limner::tokenizers
