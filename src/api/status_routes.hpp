// /health, /ready and /metrics: for machines, never authenticated.
#pragma once

#include <functional>
#include <string>

#include "api/services.hpp"
#include "http/route_table.hpp"

namespace limner::api {

// /health and /ready; `is_draining` makes /ready say no.
void add_status_routes(http::RouteTable& routes, Services& services,
                       std::function<bool()> is_draining);
// `metrics_text` is Prometheus' text format.
void add_metrics_route(http::RouteTable& routes, std::function<std::string()> metrics_text);

}  // namespace limner::api
