// GET /v1/images/requests/{id} and POST …/cancel.
#pragma once

#include "api/services.hpp"
#include "http/route_table.hpp"

namespace limner::api {

void add_requests_routes(http::RouteTable& routes, Services& services);

}  // namespace limner::api
