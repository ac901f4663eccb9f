// Attention over the pixels of a feature map: Transformer2DModel of diffusers and the older
// single-head attention block of the autoencoder and AttnDownBlock2D.
#pragma once

#include <cstdint>

#include "nn/ops.hpp"

namespace limner::models {

struct Transformer2DOptions {
  std::int64_t heads = 8;
  std::int64_t layers = 1;
  int norm_num_groups = 32;
  bool use_linear_projection = false;
  bool only_cross_attention = false;
};

// x [B, C, h, w], context [B, S, D] → [B, C, h, w]
nn::Value transformer_2d(const nn::Value& x, const nn::Value& context, const nn::WeightScope& w,
                         const Transformer2DOptions& options);

// x [B, S, D], context [B, S_c, D_c] → [B, S, D]
nn::Value basic_transformer_block(const nn::Value& x, const nn::Value& context,
                                  const nn::WeightScope& w, const Transformer2DOptions& options);

// Attention with its own group norm and a residual. x [B, C, h, w] → [B, C, h, w]. Reads to_q,
// to_k, to_v, to_out.0 or the older names query, key, value, proj_attn.
nn::Value attention_block(const nn::Value& x, const nn::WeightScope& w, std::int64_t heads,
                          int groups, double eps);

// FeedForward with a gate: net.0.proj to twice the inner width, net.2 back.
nn::Value geglu_feed_forward(const nn::Value& x, const nn::WeightScope& w);

}  // namespace limner::models
