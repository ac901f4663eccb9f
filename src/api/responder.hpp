// Where a plain answer goes: to the exchange, or also to those who wait for the same.
#pragma once

#include <functional>

#include "http/response.hpp"

namespace limner::api {

using Responder = std::function<void(http::Response)>;

}  // namespace limner::api
