// POST of pictures, in every dialect: from the exchange to a running ImageJob.
#pragma once

#include <memory>

#include "api/dialect.hpp"
#include "api/services.hpp"
#include "http/exchange.hpp"

namespace limner::api {

// Any I/O thread; the work moves to a worker at once. `services` outlives the server.
http::Handler images_handler(Services& services, Dialect dialect, Operation operation);

}  // namespace limner::api
