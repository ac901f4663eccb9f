// /health, /ready and /metrics: for machines, never authenticated.
#pragma once

#include <functional>
#include <string>

#include "api/services.hpp"
#include "http/route_table.hpp"

namespace limner::api {

// `metrics_text` is Prometheus' text format; `is_draining` makes /ready say no.
void add_status_routes(http::RouteTable& routes, Services& services,
                       std::function<std::string()> metrics_text,
                       std::function<bool()> is_draining);

}  // namespace limner::api
