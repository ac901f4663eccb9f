// The running state of the engine and what one tick does with it. Owned by one thread, the
// execution lane; everybody else talks to the RequestQueue.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "engine/batcher.hpp"
#include "engine/group_turns.hpp"
#include "engine/model_pool.hpp"
#include "engine/request_queue.hpp"
#include "engine/step_times.hpp"
#include "engine/turn_order.hpp"
#include "metrics/metrics.hpp"

namespace limner::engine {

// A request that has been prepared.
struct ActiveRequest {
  PendingRequest origin;
  ModelLease lease;
  std::unique_ptr<pipelines::DenoiseState> state;
  std::vector<int> preview_steps;
  std::size_t previews_done = 0;
  int ticks_idle = 0;
  Timings timings;
  TimePoint denoise_since{};
  Duration work_left{};          // as of the last tick
  std::optional<Error> failure;  // set when a step failed, told at the end of the tick

  RequestId id() const { return origin.id; }
  const RequestShape& shape() const { return *origin.shape; }
  pipelines::Pipeline& pipeline() const { return lease.pipeline(); }
};

class Lane {
 public:
  Lane(RequestQueue& queue, ModelPool& pool, Guarded<StepTimes>& times, metrics::Metrics& metrics,
       BatchLimits limits, const Clock& clock);

  // One network call at most. False when there was nothing to do.
  bool tick();
  // Ends every request with `error`, those still in the queue's door too.
  void fail_all(const Error& error);

 private:
  void take_new();
  void drop_cancelled();
  void follow_models();
  const ModelStatus* model_of(const PendingRequest& request) const;
  bool has_waited_enough(const PendingRequest& request) const;
  Result<void> learn_shape(PendingRequest& request);
  void announce_positions();
  BatchPlan plan();
  void admit(std::span<const RequestId> ids);
  void prepare(PendingRequest pending, ModelLease lease);
  void step(std::span<const RequestId> ids);
  void step_batch(std::span<ActiveRequest* const> batch);
  void apply(ActiveRequest& request, Result<void> outcome, int step_before);
  void report(std::span<const RequestId> ids);
  void send_preview(ActiveRequest& request);
  void finish_done();
  void decode(ActiveRequest& request);
  void publish();
  bool measure(PendingRequest& request);
  Duration used_by(const PendingRequest& request) const;

  ActiveRequest* find_active(RequestId id);
  void end_waiting(std::list<PendingRequest>::iterator request, Error error);
  void end_active(ActiveRequest& request, Error error);
  void end(PendingRequest& request, Error error);

  RequestQueue& queue_;
  ModelPool& pool_;
  Guarded<StepTimes>& times_;
  metrics::Metrics& metrics_;
  const BatchLimits limits_;
  const Clock& clock_;

  std::list<PendingRequest> waiting_;  // oldest first
  std::list<ActiveRequest> active_;
  std::map<std::string, ModelStatus> models_;  // by key, of waiting requests, as of this tick
  GroupTurns turns_;
  PrincipalTurns principals_;
};

}  // namespace limner::engine
