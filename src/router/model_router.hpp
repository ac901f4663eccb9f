// Model names → where they are painted. Names are looked up in this order: a served model, an
// alias, `provider/model` with a known provider. "local" is this process; any other text before a
// slash is a part of the model's name, as in "black-forest-labs/FLUX.1-schnell".
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"
#include "router/backend.hpp"
#include "router/local_backend.hpp"

namespace limner::router {

inline constexpr std::size_t kFallbacksMax = 5;

struct ModelDescription {
  std::string name;
  std::string description = {};
};

struct RouterConfig {
  std::vector<ModelDescription> models;        // at least one; the first is the default
  std::map<std::string, std::string> aliases;  // name → served model; over the built-in ones
};

// Names that many clients send whatever they are told; all lead to the default model.
std::span<const std::string_view> builtin_aliases();

// One row of /v1/models.
struct ServedModel {
  std::string name;
  std::string description;
  std::vector<std::string> aliases;
  bool is_default = false;
  std::optional<engine::ModelStatus> status;
};

class ModelRouter {
 public:
  // Fails when there is no model, a name comes twice, or an alias leads nowhere. `local` must
  // outlive the router.
  static Result<std::unique_ptr<ModelRouter>> create(RouterConfig config, LocalBackend& local);

  // Would reload() take it?
  static Result<void> validate(const RouterConfig& config);
  // Replaces models and aliases at once, or leaves all as it was.
  Result<void> reload(RouterConfig config);

  // The served model's own name; an empty name is the default model.
  Result<std::string> resolve(std::string_view name) const;
  // Of the first that is served among a model and its fallbacks; the model's error when none is.
  Result<std::string> resolve_first(std::string_view name,
                                    std::span<const std::string> fallbacks) const;
  std::vector<ServedModel> models() const;
  LocalBackend& local() const { return local_; }

  // Paints on request.model, or on the first of request.fallbacks that can when it cannot. Names
  // need not be resolved. As Backend::generate.
  Result<Accepted> generate(GenerationRequest request, std::shared_ptr<EventSink> sink,
                            std::stop_token stop) const;

 private:
  struct Table {
    std::vector<ModelDescription> models;
    std::map<std::string, std::string, std::less<>> aliases;
  };

  ModelRouter(Table table, LocalBackend& local) : table_(std::move(table)), local_(local) {}
  static Result<Table> check(RouterConfig config);
  static Result<std::string> find(const Table& table, std::string_view name);

  Guarded<Table> table_;
  LocalBackend& local_;
};

}  // namespace limner::router
