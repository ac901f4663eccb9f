// What every request shares. Owned by app::App, which ends it in the right order.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "api/base_url.hpp"
#include "api/blocklist.hpp"
#include "api/idempotency_store.hpp"
#include "api/painter.hpp"
#include "api/request_registry.hpp"
#include "api/timer.hpp"
#include "api/worker_pool.hpp"
#include "base/clock.hpp"
#include "core/limits.hpp"
#include "cutout/matting.hpp"
#include "http/fetcher.hpp"
#include "metrics/metrics.hpp"
#include "storage/blob_store.hpp"

namespace limner::api {

struct ApiOptions {
  OwnAddress address;
  bool is_strict = false;
  bool sends_extra_fields = false;
  std::optional<bool> truncates_prompts;  // absent: as each dialect does
  std::optional<int> prompt_chunks;       // absent: one, or some where long prompts are fitted
  bool reads_prompt_weights = false;
  std::chrono::seconds early_headers_after{0};  // 0: never
  std::chrono::seconds model_wait{600};         // that a request waits for its model at most
  std::string version;
};

struct Services {
  Painter& painter;
  WorkerPool& workers;
  Timer& timer;
  RequestRegistry& requests;
  IdempotencyStore& idempotency;
  const Blocklist& blocklist;
  const cutout::Matting& matting;
  const http::Fetcher& fetcher;
  storage::BlobStore& pictures;
  metrics::Metrics& metrics;
  const Clock& clock;
  Limits limits;
  ApiOptions options;
};

}  // namespace limner::api
