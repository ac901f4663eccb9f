// The serving core: takes requests from any thread, paints them on one execution lane, answers
// through their sinks. Every accepted request ends with exactly one Completed or Failed event,
// whatever happens to it, its client or the server.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"
#include "engine/batcher.hpp"
#include "engine/lane.hpp"
#include "engine/model_pool.hpp"
#include "engine/request_queue.hpp"
#include "engine/step_times.hpp"
#include "metrics/metrics.hpp"

namespace limner::engine {

struct EngineOptions {
  QueueLimits queue;
  BatchLimits batch;
  int niceness = 10;  // of the lane; 0 leaves it as it is
};

struct Ticket {
  RequestId id{};
  int position = 0;  // 0 is next
  Duration expected_wait{};
};

// What a request would come to, without painting it.
struct Estimate {
  EffectiveParams effective;
  int rows = 1;
  Duration expected_wait{};  // before it starts
  Duration expected_time{};  // from start to finish, were it alone
};

class Engine {
 public:
  // All three must outlive the engine.
  Engine(ModelPool& pool, metrics::Metrics& metrics, EngineOptions options, const Clock& clock);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Any thread, also from within a sink. Quick: it checks, counts and hands over. A refusal is the
  // returned error and no event: RateLimited when the queue is full, Unavailable when draining or
  // the model cannot be had, what Pipeline::check says. A model that is not in memory is loaded
  // while the request waits. The request is cancelled when `stop` asks for it.
  Result<Ticket> submit(GenerationRequest request, std::shared_ptr<EventSink> sink,
                        std::stop_token stop);
  // False when no such request is on its way.
  bool cancel(RequestId id);
  // Unavailable, and the model begins to load, while nothing is known of it.
  Result<Estimate> estimate(const GenerationRequest& asked) const;
  QueueDepth depth() const { return queue_.depth(); }

  // Starts the lane's thread. Tests call run_one_tick instead; false when there was nothing to do.
  void start();
  bool run_one_tick();

  // Refuses new requests from now on, and fails at `deadline` what is not finished by then.
  void begin_drain(TimePoint deadline);
  // begin_drain, and waits until all have had their answer: at most `within` and the length of one
  // network call. False when even that was not enough.
  bool drain(Duration within);
  // Ends what is left with a Failed event and the lane; waits for the network call that runs. No
  // sink hears anything afterwards. The destructor does it too.
  void stop();

 private:
  struct Drain {
    bool has_begun = false;
    TimePoint deadline{};
  };

  Result<GenerationRequest> read_adapters(GenerationRequest request) const;
  Error ask_for_model(const ModelVariant& variant) const;
  Result<std::optional<RequestShape>> check_model(const GenerationRequest& request);
  void run(std::stop_token stop);

  ModelPool& pool_;
  metrics::Metrics& metrics_;
  const EngineOptions options_;
  const Clock& clock_;
  Guarded<StepTimes> times_;
  Guarded<Drain> drain_;
  RequestQueue queue_;
  Lane lane_;
  std::jthread thread_;
};

}  // namespace limner::engine
