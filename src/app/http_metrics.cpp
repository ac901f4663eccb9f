#include "app/http_metrics.hpp"

#include "base/log.hpp"
#include "base/printable.hpp"

namespace limner::app {
namespace {

// Probes come every second from every monitor; they would bury the rest.
bool is_probe(std::string_view route) {
  return route == "/health" || route == "/ready" || route == "/metrics";
}

}  // namespace

void HttpMetrics::request_finished(const http::RequestSummary& summary) {
  const std::chrono::duration<double> took = summary.duration;
  const std::string_view route = summary.route.empty() ? "(none)" : summary.route;
  metrics_.http_request(route, summary.status, took);
  trimmer_.request_finished(is_probe(route));
  if (is_probe(route)) return;
  // The route's pattern, never the path or the query: they may hold what a client wants kept.
  constexpr std::size_t kMethodBytes = 16;  // a stranger's may be as long as a head
  log::info("{} {} {} {:.3f} s, {} bytes out", printable(summary.method, kMethodBytes), route,
            summary.status, took.count(), summary.bytes_out);
}

}  // namespace limner::app
