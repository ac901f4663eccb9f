// Token counts as gpt-image-1 bills them, from a closed form: the same request always counts the
// same, whatever the model and the number of steps.
#pragma once

#include <cstdint>
#include <vector>

#include "api/json_writer.hpp"
#include "api/quality.hpp"
#include "core/image.hpp"

namespace limner::api {

struct Usage {
  std::int64_t text_tokens = 0;
  std::int64_t input_image_tokens = 0;
  std::int64_t output_image_tokens = 0;
};

// ceil(H/p) * (ceil(W/p) + 1) with p = token_side_px().
std::int64_t output_image_tokens(ImageSize size, Quality quality);
// 65 + 129 per tile of 512 px once the shorter side is 512; high fidelity adds 4160, or 6240 when
// the picture is not square.
std::int64_t input_image_tokens(ImageSize size, bool has_high_fidelity);

// The part of image `index` of `count`; the parts add up to the whole.
Usage share_of(const Usage& whole, int index, int count);

// Members in OpenAI's order: `{"input_tokens":…,"total_tokens":…}`.
void write_usage(JsonWriter& json, const Usage& usage);

}  // namespace limner::api
