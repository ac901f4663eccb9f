#include <cstring>

#include <fmt/format.h>
#include <openvino/core/runtime_attribute.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/multiply.hpp>

#include "nn/node.hpp"
#include "weights/quantise.hpp"

namespace limner::nn {
namespace {

using weights::DType;
using weights::TensorView;

ov::element::Type element_type(DType dtype) {
  switch (dtype) {
    case DType::F64:
      return ov::element::f64;
    case DType::F32:
      return ov::element::f32;
    case DType::F16:
      return ov::element::f16;
    case DType::BF16:
      return ov::element::bf16;
    case DType::F8E4M3:
      return ov::element::f8e4m3;
    case DType::F8E5M2:
      return ov::element::f8e5m2;
    case DType::I64:
      return ov::element::i64;
    case DType::I32:
      return ov::element::i32;
    case DType::I16:
      return ov::element::i16;
    case DType::I8:
      return ov::element::i8;
    case DType::U8:
      return ov::element::u8;
    case DType::Bool:
      return ov::element::boolean;
    case DType::Other:
      break;
  }
  throw GraphError("a weight has a dtype that graphs cannot hold");
}

ov::Shape resolve(const TensorView& tensor, const Shape& rows) {
  if (rows.empty()) return {tensor.shape.begin(), tensor.shape.end()};
  if (weights::element_count(rows) != weights::element_count(tensor.shape)) {
    throw GraphError(fmt::format("a weight of shape {} cannot be read as {}",
                                 weights::to_string(tensor.shape), weights::to_string(rows)));
  }
  return {rows.begin(), rows.end()};
}

// Borrows the mapped bytes; copies only when the file left them at an odd address, and widens what
// has scales of its own.
std::shared_ptr<ov::op::v0::Constant> borrow(const TensorView& tensor, const ov::Shape& shape) {
  if (!tensor.scales.empty()) {
    return std::make_shared<ov::op::v0::Constant>(ov::element::f32, shape,
                                                  weights::to_float32(tensor));
  }
  const auto type = element_type(tensor.dtype);
  const auto address = reinterpret_cast<std::uintptr_t>(tensor.bytes.data());
  if (!tensor.owner || address % weights::size_bytes(tensor.dtype) != 0) {
    ov::Tensor copy(type, shape);
    std::memcpy(copy.data(), tensor.bytes.data(), tensor.bytes.size());
    return std::make_shared<ov::op::v0::Constant>(copy);
  }
  return std::make_shared<ov::op::v0::Constant>(type, shape, tensor.bytes.data(),
                                                std::const_pointer_cast<void>(tensor.owner));
}

// Marks a Convert that only widens a stored weight, so that the compiled network keeps the narrow
// constant instead of a float32 copy of it beside the packed one. The library's own class is not in
// its public headers; it knows the mark by this name, which IR files carry too.
class Decompression final : public ov::RuntimeAttribute {
 public:
  OPENVINO_RTTI("decompression", "0", ov::RuntimeAttribute);
  bool visit_attributes(ov::AttributeVisitor& /*visitor*/) override { return true; }
};

Value as_float32(const std::shared_ptr<ov::op::v0::Constant>& constant) {
  const auto type = constant->get_element_type();
  if (type == ov::element::f32) return wrap(constant->output(0));
  const auto wide = std::make_shared<ov::op::v0::Convert>(constant, ov::element::f32);
  if (type == ov::element::f16 || type == ov::element::bf16) {
    wide->get_rt_info()[Decompression::get_type_info_static()] = Decompression();
  }
  return wrap(wide->output(0));
}

// q [rows, …] as int8, widened and multiplied by its rows' scales: the form that the runtime keeps
// as it is in front of a matrix product.
Value as_int8(const WeightScope& w, const TensorView& tensor, const ov::Shape& shape) {
  auto rows = weights::quantise_rows(tensor);
  if (!rows) {
    throw GraphError(
        fmt::format("tensor {}.weight has numbers that are not finite, int8 has none", w.path()));
  }
  const auto owner = std::make_shared<weights::QuantisedRows>(*std::move(rows));
  const auto quantised =
      std::make_shared<ov::op::v0::Constant>(ov::element::i8, shape, owner->values.data(), owner);
  const auto wide = std::make_shared<ov::op::v0::Convert>(quantised, ov::element::f32);
  ov::Shape scale_shape(shape.size(), 1);
  scale_shape[0] = shape.at(0);
  const auto scale =
      std::make_shared<ov::op::v0::Constant>(ov::element::f32, scale_shape, owner->scales);
  return make<ov::op::v1::Multiply>(wide, scale);
}

Value stored_as(WeightFormat format, const WeightScope& w, const TensorView& tensor,
                const ov::Shape& shape) {
  switch (format) {
    case WeightFormat::Auto:
      return as_float32(borrow(tensor, shape));
    case WeightFormat::Int8:
      return as_int8(w, tensor, shape);
    case WeightFormat::F16:
    case WeightFormat::Bf16: {
      const auto type = format == WeightFormat::F16 ? ov::element::f16 : ov::element::bf16;
      if (tensor.scales.empty() && element_type(tensor.dtype) == type)
        return as_float32(borrow(tensor, shape));
      return as_float32(
          std::make_shared<ov::op::v0::Constant>(type, shape, weights::to_float32(tensor)));
    }
  }
  throw GraphError("unknown weight format");
}

}  // namespace

ov::Output<ov::Node> raw_weight(const TensorView& tensor) {
  return borrow(tensor, resolve(tensor, {}))->output(0);
}

Value weight_value(const TensorView& tensor, const Shape& rows) {
  return as_float32(borrow(tensor, resolve(tensor, rows)));
}

Value matrix_value(const WeightScope& w, const TensorView& tensor, const Shape& rows) {
  return stored_as(w.format(), w, tensor, resolve(tensor, rows));
}

Value kernel_value(const WeightScope& w, const TensorView& tensor) {
  const bool is_left = w.format() == WeightFormat::Int8;
  return stored_as(is_left ? WeightFormat::Auto : w.format(), w, tensor, resolve(tensor, {}));
}

}  // namespace limner::nn
