#include "diffusion/tokenizers/lora_tags.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "base/text.hpp"

namespace limner::tokenizers {
namespace {

constexpr std::string_view kOpening = "<lora:";
constexpr std::size_t kTagsMax = 16;
constexpr std::size_t kNameBytesMax = 256;
constexpr float kStrengthMax = 10.0f;

// Of one tag; it is named by its number, since a prompt is never quoted.
class TagReader {
 public:
  TagReader(std::string_view content, std::size_t number) : rest_(content), number_(number) {}

  Result<LoraTag> read() {
    LoraTag tag{.name = std::string(take_part())};
    if (tag.name.empty() || tag.name.size() > kNameBytesMax) {
      return bad(fmt::format("have a name of 1 to {} bytes", kNameBytesMax));
    }
    std::optional<float> text_encoder;
    std::optional<float> denoiser;
    for (bool is_first = true; has_more_; is_first = false) {
      const auto part = take_part();
      const auto equals = part.find('=');
      const auto name = equals == part.npos ? (is_first ? "te" : "unet") : part.substr(0, equals);
      const auto strength =
          parse_number<float>(equals == part.npos ? part : part.substr(equals + 1));
      if (!strength || !(std::abs(*strength) <= kStrengthMax)) {
        return bad(fmt::format("have a strength of {} to {}", -kStrengthMax, kStrengthMax));
      }
      auto& which = name == "te" ? text_encoder : denoiser;
      if ((name != "te" && name != "unet") || which) {
        return bad("have at most two strengths, of the text encoders and of the denoiser");
      }
      which = strength;
    }
    tag.strength = denoiser.value_or(text_encoder.value_or(1.0f));
    if (text_encoder.value_or(tag.strength) != tag.strength) {
      tag.text_encoder_strength = text_encoder;
    }
    return tag;
  }

 private:
  // Up to the next colon.
  std::string_view take_part() {
    const auto colon = std::min(rest_.find(':'), rest_.size());
    const auto part = rest_.substr(0, colon);
    has_more_ = colon < rest_.size();
    rest_.remove_prefix(std::min(colon + 1, rest_.size()));
    return part;
  }

  Error bad(std::string_view rule) const {
    return invalid_value("prompt", fmt::format("prompt: lora tag {} must {}, as in "
                                               "<lora:name:0.8>",
                                               number_, rule));
  }

  std::string_view rest_;
  const std::size_t number_;
  bool has_more_ = false;
};

}  // namespace

Result<PromptWithoutTags> extract_lora_tags(std::string_view prompt) {
  PromptWithoutTags out;
  std::size_t done = 0;
  while (true) {
    const std::size_t start = prompt.find(kOpening, done);
    const std::size_t end = start == prompt.npos ? prompt.npos : prompt.find('>', start);
    if (end == prompt.npos) break;  // no tag, or one that is never closed and so is text
    const std::size_t content = start + kOpening.size();
    auto tag = TagReader(prompt.substr(content, end - content), out.loras.size() + 1).read();
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
