#include "nn/graph.hpp"

#include <utility>

#include <fmt/format.h>
#include <openvino/core/model.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>

#include "nn/node.hpp"
#include "runtime/library_error.hpp"
#include "runtime/network_impl.hpp"

namespace limner::nn {

struct Graph::State {
  ov::ParameterVector parameters;
  ov::ResultVector results;
};

namespace {

ov::Shape to_ov(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

Error refusal(std::string_view network, std::string_view why, std::string code) {
  return {.kind = ErrorKind::Internal,
          .message = fmt::format("{}: {}", network, why),
          .code = std::move(code)};
}

}  // namespace

Value wrap(const ov::Output<ov::Node>& output) {
  const auto& shape = output.get_shape();
  return Value(std::make_shared<const Value::Node>(Value::Node{output}),
               Shape(shape.begin(), shape.end()));
}

Value Graph::input(std::string name, Shape shape) {
  auto parameter = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, to_ov(shape));
  parameter->set_friendly_name(name);
  parameter->output(0).set_names({std::move(name)});
  state_.parameters.push_back(parameter);
  return wrap(parameter->output(0));
}

Value Graph::input_int64(std::string name, Shape shape) {
  auto parameter = std::make_shared<ov::op::v0::Parameter>(ov::element::i64, to_ov(shape));
  parameter->set_friendly_name(name);
  parameter->output(0).set_names({std::move(name)});
  state_.parameters.push_back(parameter);
  return wrap(parameter->output(0));
}

void Graph::output(std::string name, const Value& value) {
  ov::Output<ov::Node> last = out(value);
  if (last.get_element_type() != ov::element::f32) {
    last = std::make_shared<ov::op::v0::Convert>(last, ov::element::f32)->output(0);
  }
  auto result = std::make_shared<ov::op::v0::Result>(last);
  result->set_friendly_name(name);
  result->output(0).set_names({std::move(name)});
  state_.results.push_back(result);
}

Result<runtime::Network> trace(std::string_view network_name,
                               const std::function<void(Graph&)>& write) {
  Graph::State state;
  try {
    Graph graph(state);
    write(graph);
    auto impl = std::make_unique<runtime::Network::Impl>();
    impl->model =
        std::make_shared<ov::Model>(state.results, state.parameters, std::string(network_name));
    return runtime::Network(std::move(impl));
  } catch (const NumbersError& e) {
    return refusal(network_name, e.what(), "non_finite_numbers");
  } catch (const GraphError& e) {
    return refusal(network_name, e.what(), "invalid_model");
  } catch (const std::exception& e) {
    if (runtime::is_out_of_memory(e)) return runtime::library_error(std::string(network_name), e);
    auto error =
        refusal(network_name, "the weights and the config do not fit together", "invalid_model");
    error.detail = e.what();
    return error;
  }
}

}  // namespace limner::nn
