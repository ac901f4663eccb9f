// Model names → where they are painted. Names are looked up in this order: a served model, an
// alias, a LoRA of a model; then the same without a leading `local/` or, while there is no other
// place to paint than this process, any provider's word; then, under the same condition, OpenAI's
// names, which are the default model.
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

struct ModelDescription {
  std::string name;
  std::vector<std::string> adapters = {};  // LoRAs that may be asked for as if they were models
};

// What a name stands for: a served model, and LoRAs that are fused into it.
struct ModelTarget {
  std::string model;
  std::vector<AdapterRef> adapters = {};

  friend bool operator==(const ModelTarget&, const ModelTarget&) = default;
};

struct RouterConfig {
  std::vector<ModelDescription> models;        // at least one; the first is the default
  std::map<std::string, ModelTarget> aliases;  // over the built-in ones
  // With providers, names like "openai/gpt-image-1" and "gpt-image-1" are theirs, never ours.
  bool has_providers = false;
};

// Names that many clients send whatever they are told, and that lists of models therefore show; all
// lead to the default model, and so do others of their kind (is_openai_image_model).
std::span<const std::string_view> builtin_aliases();

// One row of /v1/models.
struct ServedModel {
  std::string name;
  std::vector<std::string> aliases;
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

  // The served model's own name, and the LoRAs that the name stands for; an empty name is the
  // default model.
  Result<ModelTarget> resolve(std::string_view name) const;
  std::vector<ServedModel> models() const;
  LocalBackend& local() const { return local_; }

 private:
  using Targets = std::map<std::string, ModelTarget, std::less<>>;
  struct Table {
    std::vector<ModelDescription> models;
    Targets aliases;
    Targets adapters;  // by the name of the LoRA
    bool has_providers = false;
  };

  ModelRouter(Table table, LocalBackend& local) : table_(std::move(table)), local_(local) {}
  static Result<Table> check(RouterConfig config);
  static Result<ModelTarget> find(const Table& table, std::string_view name);

  Guarded<Table> table_;
  LocalBackend& local_;
};

}  // namespace limner::router
