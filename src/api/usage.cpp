#include "api/usage.hpp"

#include <algorithm>

namespace limner::api {
namespace {

constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// What is left of `whole` for part `index`, larger parts first.
std::int64_t part(std::int64_t whole, int index, int count) {
  return whole / count + (index < whole % count ? 1 : 0);
}

}  // namespace

std::int64_t output_image_tokens(ImageSize size, Quality quality) {
  const auto p = token_side_px(quality);
  return divide_up(size.height_px, p) * (divide_up(size.width_px, p) + 1);
}

std::int64_t input_image_tokens(ImageSize size, bool has_high_fidelity) {
  const std::int64_t shorter = std::max(1, std::min(size.width_px, size.height_px));
  const std::int64_t longer = std::max(size.width_px, size.height_px);
  // ceil(longer · 512 / shorter / 512): how many squares lie along the longer side.
  const auto tiles = divide_up(longer, shorter);
  const std::int64_t fidelity = size.width_px == size.height_px ? 4160 : 6240;
  return 65 + 129 * tiles + (has_high_fidelity ? fidelity : 0);
}

Usage share_of(const Usage& whole, int index, int count) {
  return {.text_tokens = part(whole.text_tokens, index, count),
          .input_image_tokens = part(whole.input_image_tokens, index, count),
          .output_image_tokens = part(whole.output_image_tokens, index, count)};
}

void write_usage(JsonWriter& json, const Usage& usage) {
  const auto input = usage.text_tokens + usage.input_image_tokens;
  json.begin_object();
  json.member("input_tokens", input);
  json.key("input_tokens_details").begin_object();
  json.member("text_tokens", usage.text_tokens).member("image_tokens", usage.input_image_tokens);
  json.end_object();
  json.member("output_tokens", usage.output_image_tokens);
  json.key("output_tokens_details").begin_object();
  json.member("image_tokens", usage.output_image_tokens).member("text_tokens", 0);
  json.end_object();
  json.member("total_tokens", input + usage.output_image_tokens);
  json.end_object();
}

}  // namespace limner::api
