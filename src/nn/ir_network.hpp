// A network that was exported as OpenVINO IR (optimum-intel), as one operation of a graph.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nn/value.hpp"

namespace limner::nn {

struct IrInput {
  std::string name;  // of the file's port
  Value value;
};

// The values of the ports named in `outputs`, in that order. The file's dynamic sides take those of
// the values. A time that the exporter wrote as an integer is taken with its fraction. Throws
// GraphError where the file has no such port, or one that is not given.
std::vector<Value> ir_network(const std::filesystem::path& xml, const std::vector<IrInput>& inputs,
                              const std::vector<std::string>& outputs);

}  // namespace limner::nn
