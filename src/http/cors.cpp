#include "http/cors.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace limner::http {

std::string allowed_origin(const CorsOptions& options, const Request& request) {
  const auto& origins = options.origins;
  if (origins.empty()) return {};
  if (std::ranges::find(origins, "*") != origins.end()) return "*";
  const auto origin = request.header("Origin").value_or("");
  if (origin.empty() || std::ranges::find(origins, origin) == origins.end()) return {};
  return std::string(origin);
}

void add_cors_headers(const CorsOptions& options, const std::string& allowed, Headers& headers) {
  if (options.origins.empty()) return;
  // Caches must not give one page's answer to another.
  headers.add("Vary", "Origin");
  if (allowed.empty()) return;
  headers.set("Access-Control-Allow-Origin", allowed);
  headers.set("Access-Control-Expose-Headers",
              fmt::format("{}", fmt::join(options.answer_headers, ", ")));
}

bool is_preflight(const Request& request) {
  return request.method == "OPTIONS" && request.headers.has("Origin") &&
         request.headers.has("Access-Control-Request-Method");
}

Response preflight_answer(const CorsOptions& options, const std::string& allow) {
  return {.status = 204,
          .headers = {{"Allow", allow},
                      {"Access-Control-Allow-Methods", allow},
                      {"Access-Control-Allow-Headers",
                       fmt::format("{}", fmt::join(options.request_headers, ", "))},
                      {"Access-Control-Max-Age", "600"}},
          .body = {}};
}

}  // namespace limner::http
