// What pages of other origins may send and read, where the operator lets them.
#pragma once

#include <string>
#include <vector>

#include "http/cors.hpp"

namespace limner::api {

http::CorsOptions cors_options(std::vector<std::string> origins);

}  // namespace limner::api
