#include "api/models_routes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/allowed_models.hpp"
#include "api/call_context.hpp"
#include "api/field_reader.hpp"
#include "api/json_response.hpp"
#include "base/text.hpp"

namespace limner::api {
namespace {

constexpr std::size_t kPageMax = 1'000;

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

// OpenAI's members, and Bifrost's beside them: one body is both.
json::object describe_model(std::string_view id, const ServedModel& model, std::int64_t created) {
  json::object object = {
      {"id", view(id)},      {"object", "model"},  {"created", created},
      {"owned_by", "local"}, {"name", model.name},
  };
  json::array input = {"text"};
  if (model.traits) {
    const auto& tasks = model.traits->tasks;
    if (std::ranges::find(tasks, Task::ImageToImage) != tasks.end()) input.push_back("image");
  }
  object["architecture"] = json::object{{"input_modalities", std::move(input)},
                                        {"output_modalities", json::array{"image"}}};
  if (id != model.name) object["root"] = model.name;
  return object;
}

struct Row {
  std::string id;
  const ServedModel* model;
};

// Own names first, in order of configuration, then aliases.
std::vector<Row> rows_of(const std::vector<ServedModel>& models) {
  std::vector<Row> rows;
  rows.reserve(models.size());
  for (const auto& model : models) rows.push_back({.id = model.name, .model = &model});
  for (const auto& model : models) {
    for (const auto& alias : model.aliases) rows.push_back({.id = alias, .model = &model});
  }
  return rows;
}

// The page token is the number of models already seen.
Result<json::object> list_models(const std::vector<ServedModel>& models,
                                 const http::Request& request, std::int64_t created) {
  const auto rows = rows_of(models);
  const auto provider = request.query_parameter("provider").value_or("");
  const auto size_text = request.query_parameter("page_size").value_or("");
  const auto token = request.query_parameter("page_token").value_or("");
  const auto size = size_text.empty() ? kPageMax : parse_number<std::size_t>(size_text).value_or(0);
  if (size < 1 || size > kPageMax) {
    return invalid_value("page_size", fmt::format("page_size: expected 1 to {}", kPageMax));
  }
  const auto begin =
      token.empty() ? std::size_t{0} : parse_number<std::size_t>(token).value_or(rows.size() + 1);
  if (begin > rows.size()) return invalid_value("page_token", "page_token: not one of this list");
  json::array data;
  std::size_t at = begin;
  if (provider.empty() || provider == "local") {
    for (; at < rows.size() && data.size() < size; ++at) {
      data.push_back(describe_model(rows[at].id, *rows[at].model, created));
    }
  } else {
    at = rows.size();
  }
  json::object body = {{"object", "list"}, {"data", std::move(data)}};
  if (at < rows.size()) body["next_page_token"] = std::to_string(at);
  return body;
}

std::int64_t started_seconds(const Services& services) {
  return std::chrono::duration_cast<std::chrono::seconds>(
             services.clock.wall_now().time_since_epoch())
      .count();
}

http::Handler list_handler(Services& services, Dialect dialect) {
  const auto created = started_seconds(services);
  return [&services, dialect, created](std::shared_ptr<http::Exchange> exchange) {
    const auto call = read_call(*exchange, dialect, Operation::Generation, {});
    const auto models = allowed_models(services.painter, call);
    auto body = list_models(models, exchange->request(), created);
    if (body) {
      exchange->respond(json_response(*std::move(body)));
      return;
    }
    exchange->respond(error_response(body.error(), call.error_context_of_no_picture()));
  };
}

http::Handler one_handler(Services& services, Dialect dialect) {
  const auto created = started_seconds(services);
  return [&services, dialect, created](std::shared_ptr<http::Exchange> exchange) {
    const auto id = exchange->path_parameter("id");
    const auto call = read_call(*exchange, dialect, Operation::Generation, {});
    const auto model = look_up_allowed(services.painter, call, id);
    if (model) return void(exchange->respond(json_response(describe_model(id, *model, created))));
    exchange->respond(error_response(model.error(), call.error_context_of_no_picture()));
  };
}

http::Handler nebula_handler(Services& services) {
  return [&services](std::shared_ptr<http::Exchange> exchange) {
    const auto call = read_call(*exchange, Dialect::Nebula, Operation::Generation, {});
    json::array models;
    for (const auto& model : allowed_models(services.painter, call)) {
      models.push_back(json::object{{"model_name", model.name},
                                    {"model_alias", model.name},
                                    {"model_type", "Image"},
                                    {"price", 0}});
    }
    exchange->respond(json_response({{"data", json::object{{"models", std::move(models)}}},
                                     {"message", "Models listed successfully"},
                                     {"status", "success"}}));
  };
}

}  // namespace

void add_models_routes(http::RouteTable& routes, Services& services) {
  const auto list = [&](const std::string& pattern, Dialect dialect) {
    routes.add({.method = "GET", .pattern = pattern, .handler = list_handler(services, dialect)});
    routes.add({.method = "GET",
                .pattern = pattern + "/{id...}",
                .handler = one_handler(services, dialect)});
  };  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the route table owns the handlers
  list("/v1/models", Dialect::Bifrost);
  list("/models", Dialect::Bifrost);
  for (const auto prefix : {"/openai", "/litellm", "/langchain", "/pydanticai"}) {
    list(fmt::format("{}/v1/models", prefix), Dialect::OpenAi);
    list(fmt::format("{}/models", prefix), Dialect::OpenAi);
  }
  list("/v3/models", Dialect::Ovms);
  list("/v3/v1/models", Dialect::Ovms);
  routes.add({.method = "GET",
              .pattern = "/api/v1/serverless/models",
              .handler = nebula_handler(services)});
}

}  // namespace limner::api
