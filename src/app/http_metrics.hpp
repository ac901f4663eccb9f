// Counts what the HTTP server does, and writes one log line per request.
#pragma once

#include <atomic>

#include "app/heap_trimmer.hpp"
#include "http/server.hpp"
#include "metrics/metrics.hpp"

namespace limner::app {

class HttpMetrics final : public http::ServerObserver {
 public:
  // `metrics` must outlive this.
  explicit HttpMetrics(metrics::Metrics& metrics) : metrics_(metrics) {}

  void connection_opened() override { metrics_.set_connections(++connections_); }
  void connection_closed() override { metrics_.set_connections(--connections_); }
  void connection_refused() override { metrics_.refused("too_many_connections"); }
  void request_started() override { trimmer_.request_started(); }
  void stream_opened() override { metrics_.set_streams(++streams_); }
  void stream_closed() override { metrics_.set_streams(--streams_); }
  void request_finished(const http::RequestSummary& summary) override;

 private:
  metrics::Metrics& metrics_;
  std::atomic<int> connections_ = 0;
  std::atomic<int> streams_ = 0;
  HeapTrimmer trimmer_;
};

}  // namespace limner::app
