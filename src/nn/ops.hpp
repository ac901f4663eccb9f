// The operations that networks are written in, with PyTorch's names, defaults and weight layouts.
// Letters as in docs/shapes.md: B rows, C channels, h w latent sides, S tokens, D width, H heads.
// Shapes that do not fit throw GraphError naming the weight or operation.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "nn/value.hpp"
#include "nn/weight_scope.hpp"

namespace limner::nn {

// ---- layers with weights -------------------------------------------------------------------
struct Conv2dOptions {
  int stride = 1;
  int padding = -1;  // each side; -1: (kernel - 1) / 2, which keeps the size at stride 1
  // Further zeros at the bottom and right, as the VAE's downsampling pads.
  int extra_padding_end = 0;
  int groups = 1;
};
// x [B, C_in, h, w], weight [C_out, C_in, k, k], optional bias [C_out].
Value conv2d(const Value& x, const WeightScope& w, const Conv2dOptions& options = {});
// Nearest enlargement to twice the sides, then a 3x3 convolution, [B, C, h, w] → [B, K, 2h, 2w].
// Done as one transposed convolution with a 4x4 kernel where that is faster: four output pixels
// share their input, so 16 products do the work of 36.
Value upsample_conv2d(const Value& x, const WeightScope& w);
// x [..., D_in], weight [D_out, D_in], optional bias. A 1x1 convolution's [D_out, D_in, 1, 1] too.
Value linear(const Value& x, const WeightScope& w);
// The same in `count` equal parts of D_out, as chunk(linear(x, w), count, -1) without moving a
// result.
std::vector<Value> linear_chunks(const Value& x, const WeightScope& w, int count);
// x [B, C, ...]
Value group_norm(const Value& x, const WeightScope& w, int groups, double eps);
// Over the last axis; weight and bias are used when the scope has them.
Value layer_norm(const Value& x, const WeightScope& w, double eps = 1e-5);
Value layer_norm(const Value& x, double eps);
Value rms_norm(const Value& x, const WeightScope& w, double eps);  // needs its weight
// ids [B, S] int64, weight [V, D] → [B, S, D]
Value embedding(const Value& ids, const WeightScope& w);
// A parameter tensor itself, as float32.
Value parameter(const WeightScope& w, std::string_view name);

// ---- activations ---------------------------------------------------------------------------
Value silu(const Value& x);
Value gelu(const Value& x);       // exact, by erf
Value gelu_tanh(const Value& x);  // GELU(approximate="tanh")
Value quick_gelu(const Value& x);
Value relu(const Value& x);
Value mish(const Value& x);
Value sigmoid(const Value& x);
Value tanh(const Value& x);
Value softmax(const Value& x, int axis);
// By PyTorch's or transformers' name: silu, swish, mish, gelu, relu, quick_gelu, gelu_new, …
Value activation(const Value& x, std::string_view name);

// ---- arithmetic ----------------------------------------------------------------------------
Value operator+(const Value& a, const Value& b);  // numpy broadcasting
Value operator-(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator/(const Value& a, const Value& b);
Value operator+(const Value& a, double b);
Value operator-(const Value& a, double b);
Value operator*(const Value& a, double b);
Value operator/(const Value& a, double b);
Value matmul(const Value& a, const Value& b, bool transpose_b = false);
Value clamp(const Value& x, double low, double high);
Value sin(const Value& x);
Value cos(const Value& x);
Value exp(const Value& x);

// ---- shape ---------------------------------------------------------------------------------
Value reshape(const Value& x, const Shape& shape);  // one side may be -1
Value transpose(const Value& x, const std::vector<int>& order);
Value concat(const std::vector<Value>& parts, int axis);
std::vector<Value> chunk(const Value& x, int count, int axis);  // equal parts
Value slice(const Value& x, int axis, std::int64_t begin, std::int64_t end);
Value unsqueeze(const Value& x, int axis);
Value unsqueeze_hw(const Value& x);  // [B, C] → [B, C, 1, 1]
Value broadcast_to(const Value& x, const Shape& shape);
Value interpolate_nearest(const Value& x, std::int64_t height, std::int64_t width);
Value avg_pool2d(const Value& x, int kernel);
Value constant(std::span<const float> data, const Shape& shape);
Value constant(std::span<const std::int64_t> data, const Shape& shape);
Value scalar(double value);

// ---- attention -----------------------------------------------------------------------------
// q [B, H, S_q, d], k and v [B, H, S_k, d], mask broadcastable to [B, H, S_q, S_k] and added to
// the scores → [B, H, S_q, d]. The scale is 1/sqrt(d) unless given.
Value scaled_dot_product_attention(const Value& q, const Value& k, const Value& v,
                                   const Value& mask = {}, std::optional<double> scale = {});
// [B, S, H*d] → [B, H, S, d] and back.
Value split_heads(const Value& x, std::int64_t heads);
Value merge_heads(const Value& x);
// [S, S] with 0 on and below the diagonal and a very negative number above.
Value causal_mask(std::int64_t length);

}  // namespace limner::nn
