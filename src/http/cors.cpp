#include "http/cors.hpp"

#include <algorithm>

namespace limner::http {

std::string allowed_origin(const std::vector<std::string>& origins, const Request& request) {
  if (origins.empty()) return {};
  if (std::ranges::find(origins, "*") != origins.end()) return "*";
  const auto origin = request.header("Origin").value_or("");
  if (origin.empty() || std::ranges::find(origins, origin) == origins.end()) return {};
  return std::string(origin);
}

void add_cors_headers(const std::vector<std::string>& origins, const std::string& allowed,
                      Headers& headers) {
  if (origins.empty()) return;
  // Caches must not give one page's answer to another.
  headers.add("Vary", "Origin");
  if (allowed.empty()) return;
  headers.set("Access-Control-Allow-Origin", allowed);
  headers.set("Access-Control-Expose-Headers",
              "x-request-id, x-limner-model, x-limner-seed, x-limner-note, openai-processing-ms, "
              "Retry-After, x-should-retry, idempotent-replayed");
}

bool is_preflight(const Request& request) {
  return request.method == "OPTIONS" && request.headers.has("Origin") &&
         request.headers.has("Access-Control-Request-Method");
}

Response preflight_answer(const std::string& allow) {
  // Clients add headers of their own (x-stainless-…): naming them would need a list for ever new
  // versions. Authorization is not covered by "*".
  return {.status = 204,
          .headers = {{"Allow", allow},
                      {"Access-Control-Allow-Methods", allow},
                      {"Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Idempotency-Key, api-key, x-api-key, x-bf-vk, "
                       "x-limner-events, x-limner-keep, x-request-id, *"},
                      {"Access-Control-Max-Age", "600"}},
          .body = {}};
}

}  // namespace limner::http
