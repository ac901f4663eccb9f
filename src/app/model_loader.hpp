// From a model's configured path to a pipeline: the seam through which tests bring models of their
// own.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "diffusion/pipelines/pipeline.hpp"

namespace limner::app {

using LoadedPipeline = Result<std::unique_ptr<pipelines::Pipeline>>;

// Empty when the path is none of its own, such as "fake:"; then the folder is loaded.
using SpecialLoader =
    std::function<std::optional<LoadedPipeline>(const std::string& name, const std::string& path)>;

}  // namespace limner::app
