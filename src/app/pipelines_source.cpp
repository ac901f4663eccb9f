#include "app/pipelines_source.hpp"

#include <algorithm>
#include <utility>

#include "app/model_folders.hpp"
#include "diffusion/pipelines/factory.hpp"
#include "diffusion/pipelines/probe_sizes.hpp"

namespace limner::app {
namespace {

runtime::Precision to_runtime(config::Precision precision) {
  switch (precision) {
    case config::Precision::Auto:
      return runtime::Precision::Auto;
    case config::Precision::F32:
      return runtime::Precision::F32;
    case config::Precision::Bf16:
      return runtime::Precision::Bf16;
  }
  return runtime::Precision::Auto;
}

nn::WeightFormat to_nn(config::WeightFormat format) {
  switch (format) {
    case config::WeightFormat::Auto:
      return nn::WeightFormat::Auto;
    case config::WeightFormat::F16:
      return nn::WeightFormat::F16;
    case config::WeightFormat::Bf16:
      return nn::WeightFormat::Bf16;
    case config::WeightFormat::Int8:
      return nn::WeightFormat::Int8;
  }
  return nn::WeightFormat::Auto;
}

Error not_configured(const std::string& name) {
  return {.kind = ErrorKind::NotFound,
          .message = "model: \"" + name + "\" is not configured",
          .param = "model",
          .code = "model_not_found"};
}

}  // namespace

PipelinesSource::PipelinesSource(const config::Config& config,
                                 std::vector<config::ModelConfig> models)
    : runtime_options_{.device = "CPU",
                       .precision = to_runtime(config.precision),
                       .threads = config.threads,
                       .cache_dir = config.cache_dir / "graphs",
                       .cache_bytes_max = config.cache_bytes_max},
      weights_(config.weights),
      has_memory_limit_(config.memory_limit_bytes > 0),
      models_(std::move(models)) {}

void PipelinesSource::set_models(std::vector<config::ModelConfig> models) {
  models_.with([&](auto& current) { current = std::move(models); });
}

Result<config::ModelConfig> PipelinesSource::find(const std::string& name) const {
  return models_.with([&](const auto& models) -> Result<config::ModelConfig> {
    const auto model = std::ranges::find(models, name, &config::ModelConfig::name);
    if (model == models.end()) return not_configured(name);
    return *model;
  });
}

LoadedPipeline PipelinesSource::open(const std::string& name,
                                     const std::vector<AdapterRef>& adapters) {
  const auto model = find(name);
  if (!model) return model.error();
  auto shared = runtime();
  if (!shared) return shared.error();
  return pipelines::load_pipeline(name, model->path, **shared,
                                  {.weight_format = to_nn(weights_),
                                   .parts = parts_of(model->extras),
                                   .lora_dir = model->extras.lora_dir,
                                   .adapters = adapters});
}

std::size_t PipelinesSource::estimate_bytes(const std::string& name) {
  const auto model = find(name);
  return model ? estimate_model_bytes(*model, packed_bytes(*model)) : 0;
}

// Without a limit nothing depends on it, and the runtime is not started for it.
PackedBytes PipelinesSource::packed_bytes(const config::ModelConfig& model) {
  auto precision = runtime_options_.precision;
  if (precision == runtime::Precision::Auto && has_memory_limit_) {
    auto shared = runtime();
    const auto folder = pipelines::ModelFolder::open(model.path, parts_of(model.extras));
    if (shared && folder) precision = pipelines::precision_of(*folder, **shared);
  }
  const double packed = precision == runtime::Precision::Bf16 ? 2 : 4;
  // Rounded matrices are kept as they are and once more as the processor wants them.
  const bool is_int8 = weights_ == config::WeightFormat::Int8;
  return {.matrix = is_int8 ? 2 : packed, .other = packed};
}

Result<runtime::Runtime*> PipelinesSource::runtime() {
  return runtime_.with([&](std::unique_ptr<runtime::Runtime>& shared) -> Result<runtime::Runtime*> {
    if (!shared) {
      auto created = runtime::Runtime::create(runtime_options_);
      if (!created) return created.error();
      shared = *std::move(created);
    }
    return shared.get();
  });
}

}  // namespace limner::app
