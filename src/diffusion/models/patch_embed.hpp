// Patches of a latent as tokens, and back.
#pragma once

#include <cstdint>

#include "nn/ops.hpp"

namespace limner::models {

struct PatchEmbedOptions {
  std::int64_t patch_size = 2;
  std::int64_t pos_embed_max_size = 96;  // side of the table of positions, in patches
};

// PatchEmbed of SD3: a strided convolution, plus positions from the middle of a square table.
// x [B, C, h, w] → [B, h/p * w/p, D]. An error where the table is smaller than the latent.
nn::Value patch_embed(const nn::Value& x, const nn::WeightScope& w,
                      const PatchEmbedOptions& options);

// Tokens [B, h/p * w/p, p*p*C], channel last within each patch → [B, C, h, w].
nn::Value unpatchify(const nn::Value& tokens, std::int64_t patch_size, std::int64_t height,
                     std::int64_t width);

// [B, C, h, w] → tokens [B, h/p * w/p, p*p*C], channel last within each patch.
nn::Value patchify(const nn::Value& x, std::int64_t patch_size);

// FLUX: 2x2 patches without a convolution, channel first within each. [B, C, h, w] → [B, h/2 * w/2,
// 4C] and back.
nn::Value pack_latents(const nn::Value& x);
nn::Value unpack_latents(const nn::Value& tokens, std::int64_t height, std::int64_t width);

}  // namespace limner::models
