// An engine over fake models, driven tick by tick on the test's own thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "support/fake_pipeline.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_sink.hpp"

namespace limner::test {

inline GenerationRequest request_for(std::string id, std::string prompt = "a cat") {
  GenerationRequest request;
  request.id = std::move(id);
  request.model = "fake";
  request.prompt.text = std::move(prompt);
  request.size = {64, 64};
  request.sampling.guidance_scale = 1.0;  // one row an image
  return request;
}

// A request on its way, as its client sees it.
struct Client {
  std::shared_ptr<RecordingSink> sink = std::make_shared<RecordingSink>();
  std::stop_source leave = {};
  Result<engine::Ticket> ticket = Error{.message = "not submitted"};
};

struct EngineFixture {
  ManualClock clock;
  metrics::Metrics metrics{"test"};
  std::shared_ptr<FakePipeline::Record> record = std::make_shared<FakePipeline::Record>();
  FakeOptions fake{
      .on_step = [this](int rows) { clock.advance(std::chrono::milliseconds{10 * rows}); }};
  // Models whose loading fails, with what.
  std::map<std::string, Error> broken = {};
  std::map<std::string, std::size_t> sizes_bytes = {};
  std::function<void()> on_load = {};
  // Models that cannot even be opened; empty: the source opens nothing.
  std::optional<std::map<std::string, Error>> unopenable = std::nullopt;
  std::vector<std::string> names = {"fake", "other"};
  engine::PoolOptions pool_options = {};
  engine::EngineOptions engine_options = {};

  engine::ModelPool& pool() {
    if (!pool_) {
      pool_ = std::make_unique<engine::ModelPool>(source(), names, pool_options, clock);
    }
    return *pool_;
  }
  engine::Engine& engine() {
    if (!engine_)
      engine_ = std::make_unique<engine::Engine>(pool(), metrics, engine_options, clock);
    return *engine_;
  }
  // The usual start: the first model is in memory.
  engine::Engine& ready_engine() {
    if (!pool().preload(names.front())) return engine();
    pool().run_one_load();
    return engine();
  }
  void destroy_engine() { engine_.reset(); }

  Client submit(GenerationRequest request) {
    Client client;
    client.ticket = engine().submit(std::move(request), client.sink, client.leave.get_token());
    return client;
  }
  void tick(int count = 1) {
    for (int i = 0; i < count; ++i) engine().run_one_tick();
  }
  // Until nothing moves; false when it still did after `ticks_max`.
  bool run_to_rest(int ticks_max = 10'000) {
    // Twice: what ends in a quiet tick may bring a new request, such as a fallback.
    for (int i = 0, quiet_ticks = 0; i < ticks_max; ++i) {
      const bool has_ticked = engine().run_one_tick();
      const bool has_loaded = pool().run_one_load();
      quiet_ticks = has_ticked || has_loaded ? 0 : quiet_ticks + 1;
      if (quiet_ticks == 2) return true;
    }
    return false;
  }

 private:
  engine::ModelSource source() {
    return {.load = [this](const engine::ModelVariant& variant, const engine::ReportStage& report)
                -> Result<std::unique_ptr<pipelines::Pipeline>> {
              const std::string name = variant.key();
              report("reading weights");
              clock.advance(std::chrono::seconds{3});
              if (on_load) on_load();
              if (const auto it = broken.find(name); it != broken.end()) return it->second;
              FakeOptions options = fake;
              options.name = variant.model;
              return std::make_unique<FakePipeline>(std::move(options), record);
            },
            .estimate_bytes =
                [this](const std::string& name) {
                  const auto it = sizes_bytes.find(name);
                  return it == sizes_bytes.end() ? std::size_t{100} : it->second;
                },
            .open = unopenable ? open_model() : nullptr};
  }
  std::function<Result<std::unique_ptr<const pipelines::Pipeline>>(const std::string&)>
  open_model() {
    return [this](const std::string& name) -> Result<std::unique_ptr<const pipelines::Pipeline>> {
      if (const auto it = unopenable->find(name); it != unopenable->end()) return it->second;
      FakeOptions options = fake;
      options.name = name;
      return std::make_unique<const FakePipeline>(std::move(options), record);
    };
  }

  std::unique_ptr<engine::ModelPool> pool_;
  std::unique_ptr<engine::Engine> engine_;  // after the pool, which must outlive it
};

}  // namespace limner::test
