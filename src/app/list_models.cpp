#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "app/commands.hpp"
#include "app/model_folders.hpp"
#include "router/model_router.hpp"

namespace limner::app {

int list_models(const config::Config& config) {
  const auto models = models_to_serve(config);
  if (!models) {
    fmt::print(stderr, "limner: {}\n", models.error().message);
    return kExitUsage;
  }
  for (const auto& model : *models) {
    const auto weights = model_weights(model);
    const auto mebibytes = static_cast<double>(weights.size_bytes) / (1 << 20);
    fmt::print("{:<20} {:>8.0f} MiB  {:<11}  {}\n", model.name, mebibytes, weights.format,
               model.path.string());
  }
  for (const auto alias : router::builtin_aliases()) {
    if (!config.aliases.contains(std::string(alias))) {
      fmt::print("{:<20} → {}\n", alias, models->front().name);
    }
  }
  for (const auto& [alias, model] : config.aliases) fmt::print("{:<20} → {}\n", alias, model);
  return kExitGood;
}

}  // namespace limner::app
