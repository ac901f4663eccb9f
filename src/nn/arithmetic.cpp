#include <array>
#include <utility>

#include <fmt/format.h>
#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/cos.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/gelu.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/mish.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/sin.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/tanh.hpp>

#include "nn/node.hpp"
#include "nn/ops.hpp"

namespace limner::nn {

namespace v = ov::op;

Value silu(const Value& x) {
  return make<v::v4::Swish>(out(x));
}
Value gelu(const Value& x) {
  return make<v::v7::Gelu>(out(x), v::GeluApproximationMode::ERF);
}
Value gelu_tanh(const Value& x) {
  return make<v::v7::Gelu>(out(x), v::GeluApproximationMode::TANH);
}
// x * sigmoid(1.702 x): OpenAI's CLIP
Value quick_gelu(const Value& x) {
  return make<v::v4::Swish>(out(x), out(scalar(1.702)));
}
Value relu(const Value& x) {
  return make<v::v0::Relu>(out(x));
}
Value mish(const Value& x) {
  return make<v::v4::Mish>(out(x));
}
Value sigmoid(const Value& x) {
  return make<v::v0::Sigmoid>(out(x));
}
Value tanh(const Value& x) {
  return make<v::v0::Tanh>(out(x));
}
Value softmax(const Value& x, int axis) {
  return make<v::v8::Softmax>(out(x), axis);
}

Value activation(const Value& x, std::string_view name) {
  using Function = Value (*)(const Value&);
  static constexpr std::array<std::pair<std::string_view, Function>, 11> kByName = {{
      {"silu", silu},
      {"swish", silu},
      {"mish", mish},
      {"gelu", gelu},
      {"relu", relu},
      {"quick_gelu", quick_gelu},
      {"gelu_new", gelu_tanh},
      {"gelu_pytorch_tanh", gelu_tanh},
      {"gelu_fast", gelu_tanh},
      {"tanh", tanh},
      {"sigmoid", sigmoid},
  }};
  for (const auto& [known, function] : kByName) {
    if (known == name) return function(x);
  }
  throw GraphError(fmt::format("activation \"{}\" is not known", name));
}

Value operator+(const Value& a, const Value& b) {
  return make<v::v1::Add>(out(a), out(b));
}
Value operator-(const Value& a, const Value& b) {
  return make<v::v1::Subtract>(out(a), out(b));
}
Value operator*(const Value& a, const Value& b) {
  return make<v::v1::Multiply>(out(a), out(b));
}
Value operator/(const Value& a, const Value& b) {
  return make<v::v1::Divide>(out(a), out(b));
}
Value operator+(const Value& a, double b) {
  return a + scalar(b);
}
Value operator-(const Value& a, double b) {
  return a - scalar(b);
}
Value operator*(const Value& a, double b) {
  return a * scalar(b);
}
Value operator/(const Value& a, double b) {
  return a / scalar(b);
}

Value matmul(const Value& a, const Value& b, bool transpose_b) {
  return make<v::v0::MatMul>(out(a), out(b), false, transpose_b);
}
Value clamp(const Value& x, double low, double high) {
  return make<v::v0::Clamp>(out(x), low, high);
}
Value sin(const Value& x) {
  return make<v::v0::Sin>(out(x));
}
Value cos(const Value& x) {
  return make<v::v0::Cos>(out(x));
}
Value exp(const Value& x) {
  return make<v::v0::Exp>(out(x));
}

Value scalar(double value) {
  return wrap(
      v::v0::Constant::create(ov::element::f32, {}, {static_cast<float>(value)})->output(0));
}

Value constant(std::span<const float> data, const Shape& shape) {
  const ov::Shape sides(shape.begin(), shape.end());
  return wrap(std::make_shared<v::v0::Constant>(ov::element::f32, sides, data.data())->output(0));
}

Value constant(std::span<const std::int64_t> data, const Shape& shape) {
  const ov::Shape sides(shape.begin(), shape.end());
  return wrap(std::make_shared<v::v0::Constant>(ov::element::i64, sides, data.data())->output(0));
}

}  // namespace limner::nn
