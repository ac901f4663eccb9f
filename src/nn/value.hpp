// A tensor that does not exist yet: the result of an operation in a graph that is being traced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace limner::nn {

// Every side is known: graphs are built for fixed shapes.
using Shape = std::vector<std::int64_t>;

class Value {
 public:
  struct Node;  // the runtime's own; see node.hpp
  Value() = default;
  explicit Value(std::shared_ptr<const Node> node, Shape shape)
      : node_(std::move(node)), shape_(std::move(shape)) {}

  const Shape& shape() const { return shape_; }
  std::int64_t dim(int axis) const {  // negative counts from the end
    return shape_.at(static_cast<std::size_t>(axis < 0 ? axis + rank() : axis));
  }
  int rank() const { return static_cast<int>(shape_.size()); }
  explicit operator bool() const { return node_ != nullptr; }
  const Node& node() const { return *node_; }

 private:
  std::shared_ptr<const Node> node_;  // shared: graphs are DAGs and nodes never change
  Shape shape_;
};

}  // namespace limner::nn
