#include <fmt/format.h>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/group_normalization.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/mvn.hpp>
#include <openvino/op/power.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/sqrt.hpp>

#include "nn/node.hpp"
#include "nn/ops.hpp"
#include "weights/tensor_forms.hpp"

namespace limner::nn {
namespace {

[[noreturn]] void misfit(const WeightScope& w, std::string_view name, const Shape& have,
                         std::string_view want) {
  throw GraphError(fmt::format("tensor {}.{} has shape {}, expected {}", w.path(), name,
                               weights::to_string(have), want));
}

// A vector parameter of `size`, shaped so that it broadcasts over the channel axis of `rank`.
Value channel_vector(const WeightScope& w, std::string_view name, std::int64_t size, int rank) {
  const auto& tensor = w.get(name);
  if (weights::element_count(tensor.shape) != static_cast<std::size_t>(size)) {
    misfit(w, name, tensor.shape, fmt::format("[{}]", size));
  }
  Shape shape(static_cast<std::size_t>(rank), 1);
  shape[1] = size;
  return weight_value(tensor, shape);
}

Value last_axis_vector(const WeightScope& w, std::string_view name, std::int64_t size) {
  const auto& tensor = w.get(name);
  if (tensor.shape != weights::Shape{size}) {
    misfit(w, name, tensor.shape, fmt::format("[{}]", size));
  }
  return weight_value(tensor);
}

ov::Output<ov::Node> int_constant(const std::vector<std::int64_t>& values) {
  return ov::op::v0::Constant::create(ov::element::i64, {values.size()}, values)->output(0);
}

}  // namespace

Value conv2d(const Value& x, const WeightScope& w, const Conv2dOptions& options) {
  const auto& kernel = w.get("weight");
  if (kernel.shape.size() != 4 || x.rank() != 4 || kernel.shape[1] * options.groups != x.dim(1)) {
    misfit(w, "weight", kernel.shape, fmt::format("[*, {}, k, k]", x.rank() == 4 ? x.dim(1) : 0));
  }
  const auto side = kernel.shape[2];
  const std::ptrdiff_t padding = options.padding < 0 ? (side - 1) / 2 : options.padding;
  const ov::CoordinateDiff begin{padding, padding};
  const ov::CoordinateDiff end{padding + options.extra_padding_end,
                               padding + options.extra_padding_end};
  const ov::Strides strides(2, static_cast<std::size_t>(options.stride));
  const ov::Strides dilations(2, 1);
  Value y;
  if (options.groups == 1) {
    y = make<ov::op::v1::Convolution>(out(x), out(kernel_value(w, kernel)), strides, begin, end,
                                      dilations);
  } else {
    const Shape grouped{options.groups, kernel.shape[0] / options.groups, kernel.shape[1],
                        kernel.shape[2], kernel.shape[3]};
    y = make<ov::op::v1::GroupConvolution>(out(x), out(weight_value(kernel, grouped)), strides,
                                           begin, end, dilations);
  }
  return w.has("bias") ? y + channel_vector(w, "bias", kernel.shape[0], 4) : y;
}

std::vector<Value> linear_chunks(const Value& x, const WeightScope& w, int count) {
  const auto& matrix = w.get("weight");
  const bool is_conv = matrix.shape.size() == 4 && matrix.shape[2] == 1 && matrix.shape[3] == 1;
  if ((matrix.shape.size() != 2 && !is_conv) || matrix.shape[1] != x.dim(-1) ||
      matrix.shape[0] % count != 0) {
    const std::string outputs = count == 1 ? "*" : fmt::format("{}n", count);
    misfit(w, "weight", matrix.shape, fmt::format("[{}, {}]", outputs, x.dim(-1)));
  }
  const auto* bias = w.find("bias");
  if (bias != nullptr && bias->shape != weights::Shape{matrix.shape[0]}) {
    misfit(w, "bias", bias->shape, fmt::format("[{}]", matrix.shape[0]));
  }
  const std::int64_t rows = matrix.shape[0] / count;
  std::vector<Value> parts;
  for (int i = 0; i < count; ++i) {
    const auto part = weights::rows_of(matrix, i * rows, rows);
    const Value y = matmul(x, matrix_value(w, part, {rows, matrix.shape[1]}), true);
    parts.push_back(bias != nullptr ? y + weight_value(weights::rows_of(*bias, i * rows, rows))
                                    : y);
  }
  return parts;
}

Value linear(const Value& x, const WeightScope& w) {
  return linear_chunks(x, w, 1).front();
}

Value group_norm(const Value& x, const WeightScope& w, int groups, double eps) {
  const std::int64_t channels = x.dim(1);
  if (groups <= 0 || channels % groups != 0) {
    throw GraphError(
        fmt::format("{}: {} channels do not divide into {} groups", w.path(), channels, groups));
  }
  const auto flat = [&](std::string_view name) {
    const auto& tensor = w.get(name);
    if (tensor.shape != weights::Shape{channels}) {
      misfit(w, name, tensor.shape, fmt::format("[{}]", channels));
    }
    return weight_value(tensor);
  };
  return make<ov::op::v12::GroupNormalization>(out(x), out(flat("weight")), out(flat("bias")),
                                               groups, eps);
}

Value layer_norm(const Value& x, double eps) {
  return make<ov::op::v6::MVN>(out(x), int_constant({-1}), true, static_cast<float>(eps),
                               ov::op::MVNEpsMode::INSIDE_SQRT);
}

Value layer_norm(const Value& x, const WeightScope& w, double eps) {
  Value y = layer_norm(x, eps);
  if (w.has("weight")) y = y * last_axis_vector(w, "weight", x.dim(-1));
  if (w.has("bias")) y = y + last_axis_vector(w, "bias", x.dim(-1));
  return y;
}

Value rms_norm(const Value& x, const WeightScope& w, double eps) {
  const Value mean_square = make<ov::op::v1::ReduceMean>(out(x * x), int_constant({-1}), true);
  const Value root = make<ov::op::v0::Sqrt>(out(mean_square + eps));
  return x / root * last_axis_vector(w, "weight", x.dim(-1));
}

Value embedding(const Value& ids, const WeightScope& w) {
  const auto& table = w.get("weight");
  if (table.shape.size() != 2) misfit(w, "weight", table.shape, "[V, D]");
  // Rows are taken in the file's own dtype and widened after: a float32 copy of a vocabulary is
  // larger than many a network.
  const auto axis = ov::op::v0::Constant::create(ov::element::i64, {}, {0});
  const auto rows = std::make_shared<ov::op::v8::Gather>(raw_weight(table), out(ids), axis);
  return make<ov::op::v0::Convert>(rows, ov::element::f32);
}

Value parameter(const WeightScope& w, std::string_view name) {
  return weight_value(w.get(name));
}

}  // namespace limner::nn
