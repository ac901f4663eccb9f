// `/openapi.json`, the page that shows it at `/docs`, and `/`, which leads there.
#pragma once

#include "api/services.hpp"
#include "http/route_table.hpp"

namespace limner::api {

// Added last: the document lists what is in `routes` by then.
void add_docs_routes(http::RouteTable& routes, const Services& services);

}  // namespace limner::api
