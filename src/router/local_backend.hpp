// The engine of this process.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "engine/model_pool.hpp"
#include "router/backend.hpp"

namespace limner::router {

class LocalBackend final : public Backend {
 public:
  // Both must outlive it.
  LocalBackend(engine::Engine& engine, engine::ModelPool& pool) : engine_(engine), pool_(pool) {}

  Result<Accepted> generate(GenerationRequest request, std::shared_ptr<EventSink> sink,
                            std::stop_token stop) override;
  Result<engine::Estimate> estimate(const GenerationRequest& request) const {
    return engine_.estimate(request);
  }
  std::optional<engine::ModelStatus> status(const std::string& model) const {
    return pool_.status(model);
  }
  // Defaults and limits of a model. Unavailable, and the model begins to load, while nothing is
  // known of it.
  Result<std::shared_ptr<const ModelTraits>> traits(const std::string& model);

 private:
  engine::Engine& engine_;
  engine::ModelPool& pool_;
};

}  // namespace limner::router
