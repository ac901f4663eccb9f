#include "api/json_response.hpp"

namespace limner::api {

http::Response json_response(const json::value& body, int status) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          .body = json::serialize(body)};
}

}  // namespace limner::api
