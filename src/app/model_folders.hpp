// Where models lie: the configured ones, or the one that comes with the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "diffusion/pipelines/model_parts.hpp"

namespace limner::app {

// The configured models, or the embedded one when there is none. The error says where it looked.
Result<std::vector<config::ModelConfig>> models_to_serve(const config::Config& config);

// The folder of weights that come with the program, or nothing: in the source tree the program lies
// in build/ beside models/, installed in bin/ beside share/. It has a file `marker`.
std::optional<std::filesystem::path> bundled_folder(std::string_view name, std::string_view marker);

// What can be seen without opening weights, so that a slip in a path ends the start, not a request.
Result<void> check_model_paths(const std::vector<config::ModelConfig>& models);

// The files that loading the model opens; copies beside them in a download do not count.
struct ModelWeights {
  std::string_view format = {};  // "safetensors", "openvino"
  std::uintmax_t size_bytes = 0;
};
ModelWeights model_weights(const config::ModelConfig& model);

pipelines::ModelParts parts_of(const config::ModelExtras& extras);

// Paths, sizes and times of all that a model is loaded from: another one means another model.
std::string model_fingerprint(const config::ModelConfig& model);

// Bytes of a number in a compiled network.
struct PackedBytes {
  double matrix = 4;
  double other = 4;  // kernels of convolutions above all
};

// What a loaded model takes in memory: its mapped files and what its networks packed of them.
// Activations, which depend on the sizes asked for, are not in it.
std::size_t estimate_model_bytes(const config::ModelConfig& model, const PackedBytes& packed);

}  // namespace limner::app
