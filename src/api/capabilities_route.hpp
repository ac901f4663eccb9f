// `GET /v1/capabilities`: what this server and each of its models can do, and within which limits.
#pragma once

#include "api/services.hpp"
#include "http/route_table.hpp"

namespace limner::api {

void add_capabilities_route(http::RouteTable& routes, Services& services);

}  // namespace limner::api
