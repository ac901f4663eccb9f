#include "api/allowed_models.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace limner::api {
namespace {

constexpr std::size_t kNameCharsMax = 80;
constexpr std::size_t kNamesToldMax = 8;

bool is_bounded(const CallContext& call) {
  return call.principal && !call.principal->models.empty();
}

Error not_served(std::string_view name, const std::vector<ServedModel>& models) {
  std::string told;
  for (std::size_t i = 0; i < models.size() && i < kNamesToldMax; ++i) {
    told += (i == 0 ? "" : ", ") + models[i].name;
  }
  if (models.size() > kNamesToldMax) {
    told += fmt::format(" and {} more", models.size() - kNamesToldMax);
  }
  return {
      .kind = ErrorKind::NotFound,
      .message = fmt::format("model: got \"{}\", served for this key: {}",
                             first_code_points(name, kNameCharsMax), told.empty() ? "none" : told),
      .param = "model",
      .code = "model_not_found"};
}

}  // namespace

std::vector<ServedModel> allowed_models(const Painter& painter, const CallContext& call) {
  auto models = painter.models();
  if (is_bounded(call)) {
    std::erase_if(models,
                  [&](const ServedModel& model) { return !call.principal->may_use(model.name); });
  }
  return models;
}

Result<ServedModel> look_up_allowed(const Painter& painter, const CallContext& call,
                                    std::string_view name) {
  auto model = painter.look_up(name);
  if (!is_bounded(call)) return model;
  const bool is_hidden =
      model ? !call.principal->may_use(model->name) : model.error().code == "model_not_found";
  if (is_hidden) return not_served(name, allowed_models(painter, call));
  return model;
}

Result<ServedModel> find_allowed(Painter& painter, const CallContext& call, std::string_view name) {
  if (!is_bounded(call)) return painter.find(name);
  const auto models = allowed_models(painter, call);
  if (name.empty() && !models.empty()) return painter.find(models.front().name);
  // What it may not use is not loaded for it either.
  const auto model = painter.look_up(name);
  if (!model) {
    return model.error().code == "model_not_found" ? not_served(name, models) : model.error();
  }
  if (auto allowed = call.principal->check_model(model->name); !allowed) return allowed.error();
  return painter.find(name);
}

}  // namespace limner::api
