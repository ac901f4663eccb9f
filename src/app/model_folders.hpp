// Where models lie: the configured ones, or the one that comes with the program.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "app/model_loader.hpp"
#include "base/result.hpp"
#include "config/config.hpp"

namespace limner::app {

// The configured models, or the embedded one when there is none. The error says where it looked.
Result<std::vector<config::ModelConfig>> models_to_serve(const config::Config& config);

// What can be seen without opening weights, so that a slip in a path ends the start, not a request.
Result<void> check_model_paths(const std::vector<config::ModelConfig>& models,
                               const SpecialLoader& special);

// What the weights in a folder will roughly take in memory.
std::size_t estimate_model_bytes(const std::filesystem::path& path);

}  // namespace limner::app
