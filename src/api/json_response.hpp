// Small JSON answers.
#pragma once

#include "base/json.hpp"
#include "http/response.hpp"

namespace limner::api {

http::Response json_response(const json::value& body, int status = 200);

}  // namespace limner::api
