// The API's Painter over the engine of this process: names and aliases → models.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/painter.hpp"
#include "config/config.hpp"
#include "engine/engine.hpp"
#include "engine/model_pool.hpp"

namespace limner::app {

// Names that some clients cannot be talked out of; each stands for the default model unless the
// configuration says otherwise.
std::vector<std::string_view> built_in_aliases();

class EnginePainter final : public api::Painter {
 public:
  // Pool and engine outlive this. An alias of the configuration that names no model is an error.
  static Result<std::unique_ptr<EnginePainter>> create(
      engine::Engine& engine, engine::ModelPool& pool,
      const std::vector<config::ModelConfig>& models,
      const std::map<std::string, std::string>& aliases);

  std::vector<api::ServedModel> models() const override;
  Result<api::ServedModel> find(std::string_view name) override;
  Result<api::PaintEstimate> estimate(const GenerationRequest& request) override;
  Result<api::Accepted> paint(GenerationRequest request, std::shared_ptr<EventSink> sink,
                              std::stop_token stop) override;

 private:
  EnginePainter(engine::Engine& engine, engine::ModelPool& pool,
                const std::vector<config::ModelConfig>& models,
                std::map<std::string, std::string> aliases);
  std::string resolve(std::string_view name) const;
  api::ServedModel describe(const config::ModelConfig& model) const;

  engine::Engine& engine_;
  engine::ModelPool& pool_;
  const std::vector<config::ModelConfig> models_;
  const std::map<std::string, std::string> aliases_;  // name → own name
};

}  // namespace limner::app
