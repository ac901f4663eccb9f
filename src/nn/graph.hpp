// Tracing a network: declare inputs, call operations, name outputs.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "nn/value.hpp"
#include "nn/weight_scope.hpp"
#include "runtime/network.hpp"

namespace limner::nn {

// A network cannot be written from these weights and this config. Thrown while tracing, so that
// expressions stay expressions; trace() turns it into an Error and nothing else sees it.
class GraphError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The same, where the weights hold numbers that nothing can be calculated with.
class NumbersError : public GraphError {
 public:
  using GraphError::GraphError;
};

class Graph {
 public:
  Value input(std::string name, Shape shape);  // float32
  Value input_int64(std::string name, Shape shape);
  void output(std::string name, const Value& value);  // becomes float32

 private:
  friend Result<runtime::Network> trace(std::string_view, const std::function<void(Graph&)>&);
  struct State;
  explicit Graph(State& state) : state_(state) {}
  State& state_;
};

// Runs `write` and packs what it declared. The error names the network and the weight at fault; it
// is never the caller's: Internal ("invalid_model", "non_finite_numbers"), or Unavailable when
// memory ran out.
Result<runtime::Network> trace(std::string_view network_name,
                               const std::function<void(Graph&)>& write);

}  // namespace limner::nn
