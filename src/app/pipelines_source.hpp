// Loads configured models, sharing one OpenVINO runtime that is created when the first is wanted.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/model_folders.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "diffusion/pipelines/pipeline.hpp"
#include "runtime/runtime.hpp"

namespace limner::app {

using LoadedPipeline = Result<std::unique_ptr<pipelines::Pipeline>>;

class PipelinesSource {
 public:
  // `config` and `models` are copied.
  PipelinesSource(const config::Config& config, std::vector<config::ModelConfig> models);

  // Any thread: what later calls find. What is loaded stays as it is.
  void set_models(std::vector<config::ModelConfig> models);
  Result<config::ModelConfig> find(const std::string& name) const;

  // From configs, headers and tokenizers: nothing is compiled and no weight is read before the
  // pipeline's first step. Any thread. The pipeline must not outlive this object.
  LoadedPipeline open(const std::string& name, const std::vector<AdapterRef>& adapters = {});
  // Under a memory limit this starts the runtime, whose arithmetic says how weights are packed.
  std::size_t estimate_bytes(const std::string& name);
  // The shared one, which lives as long as this object.
  Result<runtime::Runtime*> runtime();

 private:
  PackedBytes packed_bytes(const config::ModelConfig& model);

  const runtime::RuntimeOptions runtime_options_;
  const config::WeightFormat weights_;
  const bool has_memory_limit_;
  Guarded<std::vector<config::ModelConfig>> models_;
  Guarded<std::unique_ptr<runtime::Runtime>> runtime_;
};

}  // namespace limner::app
