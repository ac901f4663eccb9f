// From a folder or a checkpoint to the pipeline that paints with it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/pipelines/pipeline.hpp"
#include "nn/weight_scope.hpp"
#include "runtime/runtime.hpp"

namespace limner::pipelines {

struct LoadOptions {
  nn::WeightFormat weight_format = nn::WeightFormat::Auto;
  ModelParts parts = {};
  std::filesystem::path lora_dir = {};  // of LoRAs that requests may name; empty: none
  // Of these LoRAs, fused into the weights. Requests are painted with them whatever they ask for.
  std::vector<AdapterRef> adapters = {};
};

// Reads configs, headers and tokenizers. Weights are read and networks compiled when a step first
// needs them. `runtime` must outlive the pipeline. Errors name the file and what is wrong with it.
Result<std::unique_ptr<Pipeline>> load_pipeline(const std::string& name,
                                                const std::filesystem::path& path,
                                                runtime::Runtime& runtime,
                                                const LoadOptions& options = {});

}  // namespace limner::pipelines
