#include "app/engine_painter.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace limner::app {
namespace {

constexpr std::array<std::string_view, 6> kBuiltInAliases = {
    "gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2", "dall-e-2", "dall-e-3"};

constexpr std::string_view kLocal = "local/";

Error not_served(std::string_view name) {
  constexpr std::size_t kShown = 64;
  return {.kind = ErrorKind::NotFound,
          .message = fmt::format("model: \"{}\" is not served here; GET /v1/models lists what is",
                                 name.size() > kShown ? fmt::format("{}…", name.substr(0, kShown))
                                                      : std::string(name)),
          .param = "model",
          .code = "model_not_found"};
}

std::chrono::milliseconds to_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

}  // namespace

std::vector<std::string_view> built_in_aliases() {
  return {kBuiltInAliases.begin(), kBuiltInAliases.end()};
}

Result<std::unique_ptr<EnginePainter>> EnginePainter::create(
    engine::Engine& engine, engine::ModelPool& pool, const std::vector<config::ModelConfig>& models,
    const std::map<std::string, std::string>& aliases) {
  const auto is_model = [&](std::string_view name) {
    return std::ranges::find(models, name, &config::ModelConfig::name) != models.end();
  };
  std::map<std::string, std::string> all;
  for (const auto name : built_in_aliases()) {
    if (!is_model(name)) all.emplace(name, models.front().name);
  }
  for (const auto& [name, model] : aliases) {
    if (!is_model(model)) {
      return invalid_value("",
                           fmt::format("--alias {}={}: no model is named {}", name, model, model),
                           "invalid_config");
    }
    all.insert_or_assign(name, model);
  }
  return std::unique_ptr<EnginePainter>(new EnginePainter(engine, pool, models, std::move(all)));
}

EnginePainter::EnginePainter(engine::Engine& engine, engine::ModelPool& pool,
                             const std::vector<config::ModelConfig>& models,
                             std::map<std::string, std::string> aliases)
    : engine_(engine), pool_(pool), models_(models), aliases_(std::move(aliases)) {}

std::vector<api::ServedModel> EnginePainter::models() const {
  std::vector<api::ServedModel> served;
  for (const auto& model : models_) served.push_back(describe(model));
  return served;
}

Result<api::ServedModel> EnginePainter::find(std::string_view name) {
  const auto own = resolve(name);
  const auto model = std::ranges::find(models_, own, &config::ModelConfig::name);
  if (model == models_.end()) return not_served(name);
  auto served = describe(*model);
  if (!served.is_ready && !served.loading) {
    if (auto asked = pool_.preload(own); !asked) return asked.error();
  }
  return served;
}

// `provider/model` is split only at a provider that we know, so that slashes may be part of a name.
std::string EnginePainter::resolve(std::string_view name) const {
  if (name.empty()) return models_.front().name;
  if (std::ranges::find(models_, name, &config::ModelConfig::name) != models_.end()) {
    return std::string(name);
  }
  if (const auto alias = aliases_.find(std::string(name)); alias != aliases_.end()) {
    return alias->second;
  }
  if (name.starts_with(kLocal) && name.size() > kLocal.size()) {
    return resolve(name.substr(kLocal.size()));
  }
  constexpr std::string_view kOpenAi = "openai/";
  if (name.starts_with(kOpenAi)) {
    const auto alias = aliases_.find(std::string(name.substr(kOpenAi.size())));
    if (alias != aliases_.end()) return alias->second;
  }
  return {};
}

api::ServedModel EnginePainter::describe(const config::ModelConfig& model) const {
  api::ServedModel served;
  served.name = model.name;
  served.policy = model.policy;
  for (const auto& [alias, own] : aliases_) {
    if (own == model.name) served.aliases.push_back(alias);
  }
  if (auto status = pool_.status(model.name)) {
    served.traits = std::move(status->traits);
    served.is_ready = status->takes_requests;
    served.loading = std::move(status->loading);
    served.error = std::move(status->error);
  }
  return served;
}

Result<api::PaintEstimate> EnginePainter::estimate(const GenerationRequest& request) {
  auto estimate = engine_.estimate(request);
  if (!estimate) return estimate.error();
  return api::PaintEstimate{.effective = std::move(estimate->effective),
                            .rows = estimate->rows,
                            .expected_wait = to_ms(estimate->expected_wait),
                            .expected_time = to_ms(estimate->expected_time)};
}

Result<api::Accepted> EnginePainter::paint(GenerationRequest request,
                                           std::shared_ptr<EventSink> sink, std::stop_token stop) {
  auto ticket = engine_.submit(std::move(request), std::move(sink), std::move(stop));
  if (!ticket) return ticket.error();
  return api::Accepted{.position = ticket->position, .expected_wait = to_ms(ticket->expected_wait)};
}

}  // namespace limner::app
