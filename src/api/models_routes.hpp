// Lists of models in the shapes of every dialect.
#pragma once

#include "api/services.hpp"
#include "http/route_table.hpp"

namespace limner::api {

void add_models_routes(http::RouteTable& routes, Services& services);

}  // namespace limner::api
