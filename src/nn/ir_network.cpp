#include "nn/ir_network.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <openvino/core/model.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/tensor.hpp>

#include "base/files.hpp"
#include "nn/node.hpp"

namespace limner::nn {
namespace {

template <typename Ports>
auto find_port(const Ports& ports, const std::string& name) {
  const auto it = std::ranges::find_if(
      ports, [&](const auto& port) { return port->output(0).get_names().contains(name); });
  if (it == ports.end()) throw GraphError(fmt::format("the IR file has no port \"{}\"", name));
  return *it;
}

constexpr std::size_t kXmlBytesMax = 256u << 20;

// The weights are mapped by us, not by the library: a file that is cut short meanwhile must not end
// the process.
std::shared_ptr<ov::Model> read_ir(const std::filesystem::path& xml) {
  const auto text = read_file(xml, kXmlBytesMax);
  if (!text) throw GraphError(text.error().message);
  const auto bin = std::filesystem::path(xml).replace_extension(".bin");
  auto file = MappedFile::open(bin);
  if (!file) throw GraphError(file.error().message);
  const auto owner = std::make_shared<MappedFile>(*std::move(file));
  // Constants only read them, though the library's tensors take a writable pointer.
  if (owner->bytes().empty()) return ov::Core().read_model(*text, ov::Tensor());
  const ov::Tensor bytes(ov::element::u8, ov::Shape{owner->bytes().size()},
                         const_cast<std::uint8_t*>(owner->bytes().data()));
  // Shared with the library, whose constants outlive this call.
  return ov::Core().read_model(*text, ov::Tensor(bytes, owner));
}

}  // namespace

std::vector<Value> ir_network(const std::filesystem::path& xml, const std::vector<IrInput>& inputs,
                              const std::vector<std::string>& outputs) {
  const auto model = read_ir(xml);
  if (model->get_parameters().size() != inputs.size()) {
    throw GraphError(fmt::format("the IR file takes {} inputs, this kind of network {}",
                                 model->get_parameters().size(), inputs.size()));
  }
  std::map<std::shared_ptr<ov::op::v0::Parameter>, ov::Output<ov::Node>> values;
  for (const auto& input : inputs) {
    const auto parameter = find_port(model->get_parameters(), input.name);
    const auto& value = out(input.value);
    parameter->set_partial_shape(value.get_shape());
    parameter->set_element_type(value.get_element_type());
    values.emplace(parameter, value);
  }
  model->validate_nodes_and_infer_types();
  for (const auto& [parameter, value] : values) parameter->output(0).replace(value);
  std::vector<Value> found;
  for (const auto& name : outputs) {
    const auto& results = model->get_results();
    const auto it = std::ranges::find_if(results, [&](const auto& result) {
      return result->output(0).get_names().contains(name) ||
             result->input_value(0).get_names().contains(name);
    });
    if (it == results.end())
      throw GraphError(fmt::format("the IR file has no output \"{}\"", name));
    const auto source = (*it)->input_value(0);
    if (source.get_partial_shape().is_dynamic()) {
      throw GraphError(fmt::format("the shape of the IR file's output \"{}\" stays open", name));
    }
    found.push_back(wrap(source));
  }
  return found;
}

}  // namespace limner::nn
