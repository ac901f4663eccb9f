// The object graph of `limner serve`, and the order in which it ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/routes.hpp"
#include "api/services.hpp"
#include "app/http_metrics.hpp"
#include "app/pipelines_source.hpp"
#include "app/router_painter.hpp"
#include "auth/authenticator.hpp"
#include "auth/web_guard.hpp"
#include "config/config.hpp"
#include "cutout/matting.hpp"
#include "engine/engine.hpp"
#include "http/server.hpp"
#include "metrics/metrics.hpp"
#include "storage/blob_store.hpp"

namespace limner::app {

class App {
 public:
  // Opens the socket; nothing runs yet.
  static Result<std::unique_ptr<App>> create(const config::Config& config);
  ~App();

  // Serves and begins to load; returns at once.
  void start();
  // Takes over the models, aliases, keys and blocklist of `config`, or leaves all as it was.
  // Requests that are being painted end as they began.
  Result<void> reload(const config::Config& config);
  // Takes no new work, lets what runs finish until the configured time is over, then ends.
  void stop();

  // "http://127.0.0.1:8080": one that can be opened on this machine.
  std::string address() const;
  // Must requests carry a key?
  bool asks_for_keys() const;
  const std::string& default_model() const { return models_.front().name; }

 private:
  App(const config::Config& config, std::vector<config::ModelConfig> models,
      std::shared_ptr<auth::Authenticator> keys);
  Result<void> build();
  api::OwnAddress own_address() const;
  Result<void> open_pictures();
  void sweep_pictures_later();
  std::string metrics_text();
  void preload(const std::set<std::string>& names);
  LoadedPipeline load(const engine::ModelVariant& variant, const engine::ReportStage& report) const;

  // In the order of making; they end in the opposite order.
  const config::Config config_;
  std::vector<config::ModelConfig> models_;
  bool names_models_;  // else the embedded one is served
  // Shared with the server's hooks, which live as long as its connections.
  std::shared_ptr<auth::Authenticator> keys_;
  std::shared_ptr<const auth::WebGuard> web_guard_;
  std::map<std::string, std::string> fingerprints_;  // of models_, by name
  std::atomic<bool> is_draining_ = false;
  metrics::Metrics metrics_;
  HttpMetrics http_metrics_{metrics_};
  const http::Fetcher fetcher_;
  std::unique_ptr<PipelinesSource> source_;
  std::unique_ptr<const cutout::Matting> matting_;
  api::Blocklist blocklist_;
  std::unique_ptr<storage::BlobStore> pictures_;
  // Before the engine, which ends jobs when it ends: each has a hold on its entry.
  std::unique_ptr<api::RequestRegistry> requests_;
  std::unique_ptr<api::IdempotencyStore> idempotency_;
  std::unique_ptr<engine::ModelPool> pool_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<router::LocalBackend> local_;
  std::unique_ptr<router::ModelRouter> router_;
  std::unique_ptr<RouterPainter> painter_;
  std::unique_ptr<api::Services> services_;
  // What they run uses all of the above, services_ too: they end before it.
  std::unique_ptr<api::WorkerPool> workers_;
  std::unique_ptr<api::Timer> timer_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace limner::app
