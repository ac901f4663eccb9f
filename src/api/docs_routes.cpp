#include "api/docs_routes.hpp"

#include <memory>

#include "api/json_writer.hpp"
#include "api/openapi.hpp"

// The file, embedded by CMake.
extern "C" const char limner_docs_page_begin[];
extern "C" const char limner_docs_page_end[];

namespace limner::api {
namespace {

// The page brings all it needs and asks only this server.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

http::Response page() {
  return {.status = 200,
          .headers = {{"Content-Type", "text/html; charset=utf-8"},
                      {"Cache-Control", "no-cache"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Content-Security-Policy", std::string(kPagePolicy)}},
          .body = std::string(limner_docs_page_begin, limner_docs_page_end)};
}

}  // namespace

void add_docs_routes(http::RouteTable& routes, const Services& services) {
  const auto document = make_openapi(services.options.version, routes.describe());
  // Shared by every answer; it never changes.
  const auto text = std::make_shared<const std::string>(JsonWriter().value(document).take());
  routes.add({.method = "GET", .pattern = "/openapi.json", .handler = [text](auto exchange) {
                exchange->respond({.status = 200,
                                   .headers = {{"Content-Type", "application/json"},
                                               {"Cache-Control", "no-cache"}},
                                   .body = *text});
              }});
  routes.add({.method = "GET", .pattern = "/docs", .handler = [](auto exchange) {
                exchange->respond(page());
              }});
  routes.add({.method = "GET", .pattern = "/", .handler = [](auto exchange) {
                exchange->respond({.status = 302, .headers = {{"Location", "/docs"}}, .body = {}});
              }});
}

}  // namespace limner::api
