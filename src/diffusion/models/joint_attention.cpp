#include "diffusion/models/joint_attention.hpp"

#include <string>
#include <string_view>

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

struct Projections {
  Value q, k, v;  // [B, H, S, d]
};

// The checkpoint's names of one side's layers.
struct Names {
  std::string_view q, k, v, norm_q, norm_k;
};
constexpr Names kOwn{"to_q", "to_k", "to_v", "norm_q", "norm_k"};
constexpr Names kAdded{"add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q", "norm_added_k"};

Projections project(const Value& x, const WeightScope& w, const Names& names,
                    const JointAttentionOptions& options) {
  const auto heads_of = [&](std::string_view name) {
    return nn::split_heads(nn::linear(x, w / name), options.heads);
  };
  Projections p{heads_of(names.q), heads_of(names.k), heads_of(names.v)};
  if (options.has_qk_norm) {
    p.q = nn::rms_norm(p.q, w / names.norm_q, options.qk_norm_eps);
    p.k = nn::rms_norm(p.k, w / names.norm_k, options.qk_norm_eps);
  }
  return p;
}

Value attend(Projections p, const JointAttentionOptions& options) {
  if (options.rope.cos) {
    p.q = apply_rotary_embedding(p.q, options.rope);
    p.k = apply_rotary_embedding(p.k, options.rope);
  }
  return nn::merge_heads(nn::scaled_dot_product_attention(p.q, p.k, p.v, options.mask));
}

}  // namespace

Value apply_rotary_embedding(const Value& x, const RotaryEmbedding& rope) {
  const auto& s = x.shape();
  const auto pair = nn::chunk(nn::reshape(x, {s[0], s[1], s[2], s[3] / 2, 2}), 2, -1);
  const Value turned = nn::reshape(nn::concat({pair[1] * -1.0, pair[0]}, -1), s);
  return x * rope.cos + turned * rope.sin;
}

JointTokens joint_attention(const JointTokens& tokens, const WeightScope& w,
                            const JointAttentionOptions& options) {
  const Projections text = project(tokens.context, w, kAdded, options);
  const Projections own = project(tokens.x, w, kOwn, options);
  const Value h = attend({nn::concat({text.q, own.q}, 2), nn::concat({text.k, own.k}, 2),
                          nn::concat({text.v, own.v}, 2)},
                         options);
  const std::int64_t text_length = tokens.context.dim(1);
  JointTokens out{nn::linear(nn::slice(h, 1, text_length, h.dim(1)), w / "to_out" / 0), {}};
  if (options.is_context_needed) {
    out.context = nn::linear(nn::slice(h, 1, 0, text_length), w / "to_add_out");
  }
  return out;
}

Value self_attention(const Value& x, const WeightScope& w, const JointAttentionOptions& options) {
  const Value h = attend(project(x, w, kOwn, options), options);
  return w.has("to_out") ? nn::linear(h, w / "to_out" / 0) : h;
}

Value gelu_feed_forward(const Value& x, const WeightScope& w) {
  return nn::linear(nn::gelu_tanh(nn::linear(x, w / "net" / 0 / "proj")), w / "net" / 2);
}

}  // namespace limner::models
