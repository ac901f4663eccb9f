#include "api/cors_options.hpp"

#include <utility>

namespace limner::api {

http::CorsOptions cors_options(std::vector<std::string> origins) {
  return {.origins = std::move(origins),
          // Clients add headers of their own (x-stainless-…): naming them would need a list for
          // ever new versions. Authorization is not covered by "*".
          .request_headers = {"Authorization", "Content-Type", "Idempotency-Key", "api-key",
                              "x-api-key", "x-bf-vk", "x-limner-events", "x-limner-keep",
                              "x-request-id", "*"},
          .answer_headers = {"x-request-id", "x-limner-job-id", "x-limner-model", "x-limner-seed",
                             "x-limner-note", "openai-processing-ms", "Retry-After",
                             "x-should-retry", "idempotent-replayed"}};
}

}  // namespace limner::api
