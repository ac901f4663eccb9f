// GET /v1/images/files/{id}.{ext}: what `url` in an answer points at.
#pragma once

#include "api/services.hpp"
#include "http/route_table.hpp"

namespace limner::api {

void add_picture_files_route(http::RouteTable& routes, Services& services);

}  // namespace limner::api
