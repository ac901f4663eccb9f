#include "diffusion/tokenizers/lora_tags.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

namespace limner::tokenizers {
namespace {

constexpr std::string_view kOpening = "<lora:";
constexpr std::size_t kTagsMax = 16;
constexpr std::size_t kNameBytesMax = 256;
constexpr float kStrengthMax = 10.0f;

// `name:0.8`; the tag is named by its number, since a prompt is never quoted.
Result<LoraTag> parse_tag(std::string_view content, std::size_t number) {
  const std::size_t colon = std::min(content.find(':'), content.size());
  LoraTag tag{.name = std::string(content.substr(0, colon))};
  if (tag.name.empty() || tag.name.size() > kNameBytesMax) {
    return invalid_value("prompt", fmt::format("prompt: lora tag {} must have a name of 1 to {} "
                                               "bytes, as in <lora:name:0.8>",
                                               number, kNameBytesMax));
  }
  if (colon == content.size()) return tag;
  const std::string_view strength = content.substr(colon + 1);
  const char* end = strength.data() + strength.size();
  const auto [stop, ec] = std::from_chars(strength.data(), end, tag.strength);
  if (ec != std::errc() || stop != end || !(std::abs(tag.strength) <= kStrengthMax)) {
    return invalid_value("prompt", fmt::format("prompt: lora tag {} must have a strength of {} to "
                                               "{}, as in <lora:name:0.8>",
                                               number, -kStrengthMax, kStrengthMax));
  }
  return tag;
}

}  // namespace

Result<PromptWithoutTags> extract_lora_tags(std::string_view prompt) {
  PromptWithoutTags out;
  std::size_t done = 0;
  while (true) {
    const std::size_t start = prompt.find(kOpening, done);
    const std::size_t end = start == prompt.npos ? prompt.npos : prompt.find('>', start);
    if (end == prompt.npos) break;  // no tag, or one that is never closed and so is text
    const std::size_t content = start + kOpening.size();
    auto tag = parse_tag(prompt.substr(content, end - content), out.loras.size() + 1);
    if (!tag) return tag.error();
    if (out.loras.size() == kTagsMax) {
      return invalid_value("prompt", fmt::format("prompt: more than {} lora tags", kTagsMax));
    }
    out.loras.push_back(std::move(*tag));
    out.prompt += prompt.substr(done, start - done);
    done = end + 1;
  }
  out.prompt += prompt.substr(done);
  return out;
}

}  // namespace limner::tokenizers
