#include <cmath>
#include <vector>

#include <openvino/op/constant.hpp>
#include <openvino/op/scaled_dot_product_attention.hpp>

#include "nn/node.hpp"
#include "nn/ops.hpp"

namespace limner::nn {

Value scaled_dot_product_attention(const Value& q, const Value& k, const Value& v,
                                   const Value& mask, std::optional<double> scale) {
  using Attention = ov::op::v13::ScaledDotProductAttention;
  if (!mask && !scale) return make<Attention>(out(q), out(k), out(v), false);
  const double factor = scale.value_or(1.0 / std::sqrt(static_cast<double>(q.dim(-1))));
  const Value none = scalar(0);
  return make<Attention>(out(q), out(k), out(v), out(mask ? mask : none), out(scalar(factor)),
                         false);
}

Value split_heads(const Value& x, std::int64_t heads) {
  if (heads <= 0 || x.dim(-1) % heads != 0) {
    throw GraphError("a width of " + std::to_string(x.dim(-1)) + " does not divide into " +
                     std::to_string(heads) + " heads");
  }
  return transpose(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(-1) / heads}), {0, 2, 1, 3});
}

Value merge_heads(const Value& x) {
  return reshape(transpose(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), x.dim(1) * x.dim(3)});
}

Value causal_mask(std::int64_t length) {
  // As transformers: the most negative float32 above the diagonal.
  const auto side = static_cast<std::size_t>(length);
  std::vector<float> mask(side * side, 0.0f);
  for (std::size_t row = 0; row < side; ++row) {
    for (std::size_t column = row + 1; column < side; ++column) {
      mask[row * side + column] = std::numeric_limits<float>::lowest();
    }
  }
  return constant(mask, {length, length});
}

}  // namespace limner::nn
