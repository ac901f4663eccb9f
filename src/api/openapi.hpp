// The OpenAPI document: web/openapi.json describes each operation once, the route table says under
// which paths it is served.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace limner::api {

// `routes` as of RouteTable::describe(). What neither the document nor a prefix of the same API
// explains is left out.
json::object make_openapi(std::string_view version, std::span<const std::string> routes);

}  // namespace limner::api
