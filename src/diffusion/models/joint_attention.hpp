// Attention in which text and picture see each other, each with projections of its own (MMDiT,
// Esser et al. 2024): SD3 and FLUX. In one sequence the text's tokens come first.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/ops.hpp"

namespace limner::models {

// Cosines and sines [S, d], or [B, 1, S, d], by which queries and keys [B, H, S, d] are turned;
// empty: not turned.
struct RotaryEmbedding {
  nn::Value cos, sin;
};
// Each pair of neighbours (a, b) of the last axis becomes (a cos - b sin, b cos + a sin).
nn::Value apply_rotary_embedding(const nn::Value& x, const RotaryEmbedding& rope);

struct JointAttentionOptions {
  std::int64_t heads = 0;
  bool has_qk_norm = false;  // RMS norms of queries and keys, per head
  double qk_norm_eps = 1e-6;
  bool is_context_needed = true;  // false: the last block, whose text nothing reads
  RotaryEmbedding rope = {};
  nn::Value mask = {};  // added to the scores; empty: all see all
};

struct JointTokens {
  nn::Value x;        // [B, S_x, D]
  nn::Value context;  // [B, S_c, D]; empty where it is not needed
};

JointTokens joint_attention(const JointTokens& tokens, const nn::WeightScope& w,
                            const JointAttentionOptions& options);
// The same of one kind of tokens among themselves. Without to_out where the scope has none.
nn::Value self_attention(const nn::Value& x, const nn::WeightScope& w,
                         const JointAttentionOptions& options);

// FeedForward("gelu-approximate"): net.0.proj, net.2.
nn::Value gelu_feed_forward(const nn::Value& x, const nn::WeightScope& w);

}  // namespace limner::models
