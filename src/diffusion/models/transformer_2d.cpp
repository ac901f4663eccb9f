#include "diffusion/models/transformer_2d.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

// [B, C, h, w] → [B, h*w, C]
Value to_tokens(const Value& x) {
  return nn::reshape(nn::transpose(x, {0, 2, 3, 1}), {x.dim(0), x.dim(2) * x.dim(3), x.dim(1)});
}

// [B, h*w, C] → [B, C, h, w]
Value to_map(const Value& x, std::int64_t height, std::int64_t width) {
  return nn::transpose(nn::reshape(x, {x.dim(0), height, width, x.dim(2)}), {0, 3, 1, 2});
}

Value attention(const Value& x, const Value& context, const WeightScope& w, std::int64_t heads) {
  const Value q = nn::split_heads(nn::linear(x, w / "to_q"), heads);
  const Value k = nn::split_heads(nn::linear(context, w / "to_k"), heads);
  const Value v = nn::split_heads(nn::linear(context, w / "to_v"), heads);
  return nn::linear(nn::merge_heads(nn::scaled_dot_product_attention(q, k, v)), w / "to_out" / 0);
}

}  // namespace

Value geglu_feed_forward(const Value& x, const WeightScope& w) {
  const auto halves = nn::linear_chunks(x, w / "net" / 0 / "proj", 2);
  return nn::linear(halves[0] * nn::gelu(halves[1]), w / "net" / 2);
}

Value basic_transformer_block(const Value& x, const Value& context, const WeightScope& w,
                              const Transformer2DOptions& options) {
  Value n = nn::layer_norm(x, w / "norm1");
  Value h =
      x + attention(n, options.only_cross_attention ? context : n, w / "attn1", options.heads);
  if (w.has("attn2")) {
    h = h + attention(nn::layer_norm(h, w / "norm2"), context, w / "attn2", options.heads);
  }
  return h + geglu_feed_forward(nn::layer_norm(h, w / "norm3"), w / "ff");
}

Value transformer_2d(const Value& x, const Value& context, const WeightScope& w,
                     const Transformer2DOptions& options) {
  // SD1 projects the map with a 1x1 convolution, SD2 and SDXL the tokens with a linear layer: the
  // same numbers. Each keeps its order, the convolution runs in the layout of its neighbours.
  const bool projects_map = w.get("proj_in.weight").shape.size() == 4;
  const Value normed = nn::group_norm(x, w / "norm", options.norm_num_groups, 1e-6);
  Value h = projects_map ? to_tokens(nn::conv2d(normed, w / "proj_in"))
                         : nn::linear(to_tokens(normed), w / "proj_in");
  for (std::int64_t i = 0; i < options.layers; ++i) {
    h = basic_transformer_block(h, context, w / "transformer_blocks" / static_cast<std::size_t>(i),
                                options);
  }
  const auto map_of = [&](const Value& tokens) { return to_map(tokens, x.dim(2), x.dim(3)); };
  return x + (projects_map ? nn::conv2d(map_of(h), w / "proj_out")
                           : map_of(nn::linear(h, w / "proj_out")));
}

Value attention_block(const Value& x, const WeightScope& w, std::int64_t heads, int groups,
                      double eps) {
  const bool has_old_names = w.has("query");
  const auto layer = [&](std::string_view name, std::string_view old_name) {
    return w / (has_old_names ? old_name : name);
  };
  const WeightScope out = has_old_names ? w / "proj_attn" : w / "to_out" / 0;
  const Value n = to_tokens(nn::group_norm(x, w / "group_norm", groups, eps));
  const Value q = nn::split_heads(nn::linear(n, layer("to_q", "query")), heads);
  const Value k = nn::split_heads(nn::linear(n, layer("to_k", "key")), heads);
  const Value v = nn::split_heads(nn::linear(n, layer("to_v", "value")), heads);
  const Value h = nn::linear(nn::merge_heads(nn::scaled_dot_product_attention(q, k, v)), out);
  return to_map(h, x.dim(2), x.dim(3)) + x;
}

}  // namespace limner::models
