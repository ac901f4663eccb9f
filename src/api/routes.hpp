// Every path of the server.
#pragma once

#include <functional>
#include <string>

#include "api/services.hpp"
#include "http/route_table.hpp"
#include "http/server.hpp"

namespace limner::api {

struct RouteHooks {
  std::function<std::string()> metrics_text;
  std::function<bool()> is_draining;
  // Asked before everything but health, metrics, documentation and the files behind urls, whose
  // names nobody can guess; `authenticate_get` before painting by GET. May be empty.
  http::HeadHook authenticate = {};
  http::HeadHook authenticate_get = {};
  // Asked before the rest, but not before /health and /ready, which tell nothing.
  http::HeadHook check_host = {};
};

// `services` outlives the server.
http::RouteTable make_routes(Services& services, RouteHooks hooks);

// http's own errors (no such path, method, media type, body too large) in the dialect of the path.
http::ErrorFormatter make_error_formatter();

}  // namespace limner::api
