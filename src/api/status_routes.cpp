#include "api/status_routes.hpp"

#include <algorithm>
#include <utility>

#include "api/json_response.hpp"
#include "metrics/metrics.hpp"

namespace limner::api {
namespace {

json::object describe_state(const ServedModel& model) {
  json::object object = {{"id", model.name}};
  if (model.is_ready) {
    object["state"] = "ready";
  } else if (model.loading) {
    object["state"] = "loading";
    object["stage"] = model.loading->stage;
    object["elapsed_ms"] = model.loading->elapsed.count();
    object["expected_ms"] = model.loading->expected.count();
  } else {
    object["state"] = model.error ? "failed" : "unloaded";
    if (model.error) object["message"] = model.error->message;
  }
  return object;
}

}  // namespace

void add_status_routes(http::RouteTable& routes, Services& services,
                       std::function<bool()> is_draining) {
  // Vital: who watches the server must not take "too many connections" for its end.
  routes.add({.method = "GET",
              .pattern = "/health",
              .handler =
                  [](auto exchange) {
                    exchange->respond(json_response({{"status", "ok"}}));
                  },
              .is_vital = true});
  routes.add({.method = "GET",
              .pattern = "/ready",
              .handler =
                  [&services, is_draining = std::move(is_draining)](auto exchange) {
                    const auto models = services.painter.models();
                    const bool can_paint =
                        std::ranges::any_of(models, [](const auto& m) { return m.is_ready; });
                    const bool is_ready = can_paint && !is_draining();
                    json::array states;
                    for (const auto& model : models) states.push_back(describe_state(model));
                    auto response = json_response({{"status", is_ready        ? "ready"
                                                              : is_draining() ? "draining"
                                                                              : "loading"},
                                                   {"models", std::move(states)}},
                                                  is_ready ? 200 : 503);
                    if (!is_ready) response.headers.add("Retry-After", "2");
                    exchange->respond(std::move(response));
                  },
              .is_vital = true});
}

void add_metrics_route(http::RouteTable& routes, std::function<std::string()> metrics_text) {
  routes.add({.method = "GET",
              .pattern = "/metrics",
              .handler =
                  [metrics_text = std::move(metrics_text)](auto exchange) {
                    exchange->respond(
                        {.status = 200,
                         .headers = {{"Content-Type", std::string(metrics::kContentType)}},
                         .body = metrics_text()});
                  },
              .is_vital = true});
}

}  // namespace limner::api
