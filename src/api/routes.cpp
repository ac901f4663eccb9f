#include "api/routes.hpp"

#include <array>

#include <fmt/format.h>

#include "api/body_policy.hpp"
#include "api/call_context.hpp"
#include "api/capabilities_route.hpp"
#include "api/docs_routes.hpp"
#include "api/estimate_route.hpp"
#include "api/images_handler.hpp"
#include "api/models_routes.hpp"
#include "api/picture_files.hpp"
#include "api/requests_routes.hpp"
#include "api/status_routes.hpp"
#include "base/ids.hpp"

namespace limner::api {
namespace {

struct Prefix {
  std::string_view path;  // in front of "/generations"
  Dialect dialect;
};

// The aliases are other gateways' and clients' spellings of the same API.
constexpr std::array kPrefixes = {
    Prefix{"/v1/images", Dialect::Bifrost},
    Prefix{"/images", Dialect::Bifrost},  // a base URL that lacks the /v1
    Prefix{"/openai/v1/images", Dialect::OpenAi},
    Prefix{"/openai/images", Dialect::OpenAi},
    Prefix{"/openai/openai/deployments/{model...}/images", Dialect::OpenAi},
    Prefix{"/openai/deployments/{model...}/images", Dialect::OpenAi},
    Prefix{"/litellm/v1/images", Dialect::OpenAi},
    Prefix{"/litellm/images", Dialect::OpenAi},
    Prefix{"/langchain/v1/images", Dialect::OpenAi},
    Prefix{"/langchain/images", Dialect::OpenAi},
    Prefix{"/pydanticai/v1/images", Dialect::OpenAi},
    Prefix{"/pydanticai/images", Dialect::OpenAi},
    Prefix{"/v3/images", Dialect::Ovms},
    Prefix{"/v3/v1/images", Dialect::Ovms},
    Prefix{"/v3/{model...}/images", Dialect::Ovms},
};

void add_images_routes(http::RouteTable& routes, Services& services,
                       const http::HeadHook& authenticate_get) {
  const auto add = [&](const Prefix& prefix, std::string_view name, Operation operation,
                       http::BodyPolicy body) {
    routes.add({.method = "POST",
                .pattern = fmt::format("{}/{}", prefix.path, name),
                .handler = images_handler(services, prefix.dialect, operation),
                .body = body});
  };
  for (const auto& prefix : kPrefixes) {
    add(prefix, "generations", Operation::Generation, json_body(services.limits));
    add(prefix, "edits", Operation::Edit, json_or_form_body(services.limits));
    add(prefix, "variations", Operation::Variation, json_or_form_body(services.limits));
  }
  for (const auto method : {"POST", "GET"}) {
    const bool is_get = std::string_view(method) == "GET";
    routes.add({.method = method,
                .pattern = "/api/v1/images/generation",
                .handler = images_handler(services, Dialect::Nebula, Operation::Generation),
                .body = json_body(services.limits),
                .on_head = is_get ? authenticate_get : http::HeadHook(),
                .takes_head = false});
  }
}

Dialect dialect_of(std::string_view path) {
  if (path.starts_with("/api/v1/")) return Dialect::Nebula;
  if (path.starts_with("/v3/")) return Dialect::Ovms;
  for (const auto prefix : {"/openai/", "/litellm/", "/langchain/", "/pydanticai/"}) {
    if (path.starts_with(prefix)) return Dialect::OpenAi;
  }
  return Dialect::Bifrost;
}

std::optional<Operation> operation_of(std::string_view path) {
  if (path.ends_with("/generations") || path.ends_with("/generation")) return Operation::Generation;
  if (path.ends_with("/edits")) return Operation::Edit;
  if (path.ends_with("/variations")) return Operation::Variation;
  return std::nullopt;
}

}  // namespace

http::RouteTable make_routes(Services& services, RouteHooks hooks) {
  http::RouteTable guarded;
  add_images_routes(guarded, services, hooks.authenticate_get);
  add_models_routes(guarded, services);
  add_requests_routes(guarded, services);
  add_capabilities_route(guarded, services);
  add_estimate_route(guarded, services);
  http::RouteTable routes;
  routes.add_behind(hooks.authenticate, std::move(guarded));
  http::RouteTable keyless;
  add_picture_files_route(keyless, services);
  add_metrics_route(keyless, std::move(hooks.metrics_text));
  add_docs_routes(keyless, services);
  routes.add_behind(hooks.check_host, std::move(keyless));
  add_status_routes(routes, services, std::move(hooks.is_draining));
  return routes;
}

http::ErrorFormatter make_error_formatter() {
  return [](const Error& error, const http::Request& head) {
    return error_response(error,
                          {.dialect = dialect_of(head.path),
                           .operation = operation_of(head.path),
                           .request_id = given_request_id(head).value_or(random_id("req_"))});
  };
}

}  // namespace limner::api
