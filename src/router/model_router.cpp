#include "router/model_router.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "router/model_names.hpp"

namespace limner::router {
namespace {

constexpr std::array<std::string_view, 11> kBuiltinAliases = {"gpt-image-1",
                                                              "gpt-image-1-mini",
                                                              "gpt-image-1.5",
                                                              "gpt-image-2",
                                                              "gpt-image-2.5-flare",
                                                              "gpt-image-2.5-sunburst",
                                                              "gpt-image-2.6-flare",
                                                              "gpt-image-2.6-sunburst",
                                                              "chatgpt-image-latest",
                                                              "dall-e-2",
                                                              "dall-e-3"};
constexpr std::string_view kLocalPrefix = "local/";
constexpr std::size_t kNamesToldMax = 8;
constexpr std::size_t kNameCharsMax = 80;

// Cut between characters: half of one would not be JSON.
std::string shortened(std::string_view name) {
  if (name.size() <= kNameCharsMax) return std::string(name);
  std::size_t end = kNameCharsMax;
  const auto is_inside = [&](std::size_t at) {
    return (static_cast<unsigned char>(name[at]) & 0xC0u) == 0x80u;
  };
  while (end > 0 && is_inside(end)) --end;
  return std::string(name.substr(0, end)) + "…";
}

Error not_served(std::string_view name, std::span<const ModelDescription> models) {
  std::string served;
  for (const auto& model : models.first(std::min(models.size(), kNamesToldMax))) {
    if (!served.empty()) served += ", ";
    served += model.name;
  }
  if (models.size() > kNamesToldMax) {
    served += fmt::format(" and {} more", models.size() - kNamesToldMax);
  }
  return {.kind = ErrorKind::NotFound,
          .message = fmt::format("model: got \"{}\", served here: {}", shortened(name), served),
          .param = "model",
          .code = "model_not_found"};
}

bool has_model(std::span<const ModelDescription> models, std::string_view name) {
  return std::ranges::find(models, name, &ModelDescription::name) != models.end();
}

Result<void> check_alias(const std::string& alias, const ModelTarget& target,
                         std::span<const ModelDescription> models) {
  const auto model = std::ranges::find(models, target.model, &ModelDescription::name);
  if (model == models.end()) {
    return invalid_value(
        "aliases",
        fmt::format("aliases: \"{}\" leads to \"{}\", which is not served", alias, target.model));
  }
  for (const auto& adapter : target.adapters) {
    if (std::ranges::find(model->adapters, adapter.name) != model->adapters.end()) continue;
    return invalid_value("aliases", fmt::format("aliases: \"{}\" wants the LoRA \"{}\", which "
                                                "\"{}\" does not have",
                                                alias, adapter.name, target.model));
  }
  return {};
}

}  // namespace

std::span<const std::string_view> builtin_aliases() {
  return kBuiltinAliases;
}

Result<std::unique_ptr<ModelRouter>> ModelRouter::create(RouterConfig config, LocalBackend& local) {
  auto table = check(std::move(config));
  if (!table) return std::move(table).error();
  return std::unique_ptr<ModelRouter>(new ModelRouter(std::move(*table), local));
}

Result<void> ModelRouter::validate(const RouterConfig& config) {
  auto table = check(config);
  if (!table) return std::move(table).error();
  return {};
}

Result<void> ModelRouter::reload(RouterConfig config) {
  auto table = check(std::move(config));
  if (!table) return std::move(table).error();
  table_.with([&](Table& current) { current = std::move(*table); });
  return {};
}

Result<ModelTarget> ModelRouter::resolve(std::string_view name) const {
  return table_.with([&](const Table& table) { return find(table, name); });
}

std::vector<ServedModel> ModelRouter::models() const {
  std::vector<ServedModel> served = table_.with([](const Table& table) {
    std::vector<ServedModel> rows;
    for (const auto& model : table.models) {
      ServedModel row{.name = model.name, .aliases = {}, .status = std::nullopt};
      for (const auto& [alias, target] : table.aliases) {
        if (target.model == model.name) row.aliases.push_back(alias);
      }
      rows.push_back(std::move(row));
    }
    return rows;
  });
  for (auto& row : served) row.status = local_.status(row.name);
  return served;
}

Result<ModelRouter::Table> ModelRouter::check(RouterConfig config) {
  if (config.models.empty()) return invalid_value("models", "models: none is given");
  std::set<std::string_view> names;
  for (const auto& model : config.models) {
    if (model.name.empty()) return invalid_value("models", "models: a name is empty");
    if (!names.insert(model.name).second) {
      return invalid_value("models", fmt::format("models: \"{}\" is given twice", model.name));
    }
  }
  Table table{.models = {}, .aliases = {}, .adapters = {}, .has_providers = config.has_providers};
  for (const auto& [alias, target] : config.aliases) {
    if (auto good = check_alias(alias, target, config.models); !good) return good.error();
    table.aliases.emplace(alias, target);
  }
  if (!config.has_providers) {
    const ModelTarget default_model{config.models.front().name};
    for (const auto alias : kBuiltinAliases) table.aliases.emplace(alias, default_model);
  }
  // A served model keeps its name whatever the aliases say.
  std::erase_if(table.aliases, [&](const auto& alias) { return names.contains(alias.first); });
  for (const auto& model : config.models) {
    for (const auto& adapter : model.adapters) {
      table.adapters.emplace(adapter, ModelTarget{model.name, {{.name = adapter}}});
    }
  }
  table.models = std::move(config.models);
  return table;
}

Result<ModelTarget> ModelRouter::find(const Table& table, std::string_view name) {
  if (name.empty()) return ModelTarget{table.models.front().name};
  std::string_view wanted = name;
  while (true) {
    if (has_model(table.models, wanted)) return ModelTarget{std::string(wanted)};
    for (const auto* targets : {&table.aliases, &table.adapters}) {
      if (const auto known = targets->find(wanted); known != targets->end()) return known->second;
    }
    const bool is_ours = !table.has_providers || wanted.starts_with(kLocalPrefix);
    const auto rest = is_ours ? after_provider(wanted) : std::nullopt;
    if (!rest) break;
    wanted = *rest;
  }
  if (!table.has_providers && is_openai_image_model(wanted)) {
    return ModelTarget{table.models.front().name};
  }
  return not_served(name, table.models);
}

}  // namespace limner::router
