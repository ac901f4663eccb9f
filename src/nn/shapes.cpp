#include <cstddef>

#include <fmt/format.h>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/broadcast.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/split.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/unsqueeze.hpp>

#include "nn/node.hpp"
#include "nn/ops.hpp"

namespace limner::nn {

namespace v = ov::op;

namespace {

ov::Output<ov::Node> ints(const std::vector<std::int64_t>& values) {
  return v::v0::Constant::create(ov::element::i64, {values.size()}, values)->output(0);
}

}  // namespace

Value reshape(const Value& x, const Shape& shape) {
  return make<v::v1::Reshape>(out(x), ints(shape), false);
}

Value transpose(const Value& x, const std::vector<int>& order) {
  return make<v::v1::Transpose>(out(x), ints({order.begin(), order.end()}));
}

Value concat(const std::vector<Value>& parts, int axis) {
  if (parts.size() == 1) return parts.front();
  ov::OutputVector outputs;
  for (const auto& part : parts) outputs.push_back(out(part));
  return make<v::v0::Concat>(outputs, axis);
}

std::vector<Value> chunk(const Value& x, int count, int axis) {
  if (x.dim(axis) % count != 0) {
    throw GraphError(fmt::format("{} does not divide into {} parts", x.dim(axis), count));
  }
  const auto where = v::v0::Constant::create(ov::element::i64, {}, {axis});
  const auto split = std::make_shared<v::v1::Split>(out(x), where, static_cast<std::size_t>(count));
  std::vector<Value> parts;
  for (std::size_t i = 0; i < split->get_output_size(); ++i)
    parts.push_back(wrap(split->output(i)));
  return parts;
}

Value slice(const Value& x, int axis, std::int64_t begin, std::int64_t end) {
  return make<v::v8::Slice>(out(x), ints({begin}), ints({end}), ints({1}), ints({axis}));
}

Value unsqueeze(const Value& x, int axis) {
  return make<v::v0::Unsqueeze>(out(x), ints({axis}));
}

Value unsqueeze_hw(const Value& x) {
  return make<v::v0::Unsqueeze>(out(x), ints({2, 3}));
}

Value broadcast_to(const Value& x, const Shape& shape) {
  return make<v::v3::Broadcast>(out(x), ints(shape));
}

Value interpolate_nearest(const Value& x, std::int64_t height, std::int64_t width) {
  // torch's "nearest": source = floor(target * size_in / size_out)
  v::v11::Interpolate::InterpolateAttrs attrs;
  attrs.mode = v::v11::Interpolate::InterpolateMode::NEAREST;
  attrs.shape_calculation_mode = v::v11::Interpolate::ShapeCalcMode::SIZES;
  attrs.coordinate_transformation_mode = v::v11::Interpolate::CoordinateTransformMode::ASYMMETRIC;
  attrs.nearest_mode = v::v11::Interpolate::NearestMode::FLOOR;
  attrs.pads_begin = {0, 0, 0, 0};
  attrs.pads_end = {0, 0, 0, 0};
  return make<v::v11::Interpolate>(out(x), ints({height, width}), ints({2, 3}), attrs);
}

Value avg_pool2d(const Value& x, int kernel) {
  const auto side = static_cast<std::size_t>(kernel);
  return make<v::v1::AvgPool>(out(x), ov::Strides{side, side}, ov::Shape{0, 0}, ov::Shape{0, 0},
                              ov::Shape{side, side}, true, v::RoundingType::FLOOR);
}

}  // namespace limner::nn
