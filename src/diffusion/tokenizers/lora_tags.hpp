// `<lora:name:0.8>` in a prompt: which adapters it asks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace limner::tokenizers {

struct LoraTag {
  std::string name;
  float strength = 1.0f;

  bool operator==(const LoraTag&) const = default;
};

struct PromptWithoutTags {
  std::string prompt;  // as it came, less the tags
  std::vector<LoraTag> loras;
};

// `<lora:name>` has strength 1. An error where a tag has no name, a strength beyond ±10, or parts
// after it, and where there are more than 16.
Result<PromptWithoutTags> extract_lora_tags(std::string_view prompt);

}  // namespace limner::tokenizers
