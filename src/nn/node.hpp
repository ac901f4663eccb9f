// What a Value is to the runtime. Only the .cpp files of nn/ include this.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openvino/core/node.hpp>
#include <openvino/core/node_output.hpp>

#include "nn/graph.hpp"
#include "nn/value.hpp"

namespace limner::nn {

struct Value::Node {
  ov::Output<ov::Node> output;
};

inline const ov::Output<ov::Node>& out(const Value& value) {
  if (!value) throw GraphError("an operation was given no value");
  return value.node().output;
}

Value wrap(const ov::Output<ov::Node>& output);

// A weight in the file's own dtype.
ov::Output<ov::Node> raw_weight(const weights::TensorView& tensor);

// A weight as float32 in the graph, without copying the file's bytes where their kind allows it.
// `rows`: shape to give it (same number of elements); empty keeps its own.
Value weight_value(const weights::TensorView& tensor, const Shape& rows = {});
// `tensor`, the weight of `w`, in the scope's storage format. A matrix: the first axis is the
// output.
Value matrix_value(const WeightScope& w, const weights::TensorView& tensor, const Shape& rows);
// A convolution's. Int8 leaves it as the file has it: the runtime would widen it again before
// packing, and only keep one copy more.
Value kernel_value(const WeightScope& w, const weights::TensorView& tensor);

template <typename Op, typename... Args>
Value make(Args&&... args) {
  return wrap(std::make_shared<Op>(std::forward<Args>(args)...)->output(0));
}

}  // namespace limner::nn
