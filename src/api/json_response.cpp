#include "api/json_response.hpp"

#include "api/json_writer.hpp"

namespace limner::api {

http::Response json_response(const json::value& body, int status) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          .body = JsonWriter().value(body).take()};
}

}  // namespace limner::api
