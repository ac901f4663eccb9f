// `POST /v1/images/estimate`: what a request would come to, without painting it. Takes the bodies
// of generations and edits.
#pragma once

#include "api/services.hpp"
#include "http/route_table.hpp"

namespace limner::api {

void add_estimate_route(http::RouteTable& routes, Services& services);

}  // namespace limner::api
