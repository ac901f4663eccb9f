// The door of the engine: any thread puts requests in, one lane takes them out. Knows what is on
// its way and what work is left of it, refuses what is too much (admission.hpp), wakes the lane.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/admission.hpp"
#include "engine/batcher.hpp"
#include "engine/model_variant.hpp"
#include "engine/reply.hpp"
#include "engine/step_times.hpp"

namespace limner::engine {

// Accepted and not yet prepared.
struct PendingRequest {
  RequestId id{};
  GenerationRequest request;
  ModelVariant variant;  // that paints it
  Reply reply;
  TimePoint accepted_at{};
  std::optional<RequestShape> shape;  // known once the model is loaded and has checked the request
  Duration work{};                    // share of the machine
  Duration expected{};                // were it alone; its claim in the batcher
  bool is_guessed = false;            // nothing was measured yet that these two could come from
  TimePoint due{};                    // in the order of turns
  int announced_position = -1;
  std::string announced_stage = {};
};

// Of a request on its way, as the lane sees it now.
struct WorkLeft {
  RequestId id{};
  Duration work{};
  bool is_guessed = false;
};

struct QueueDepth {
  std::size_t waiting = 0;
  std::size_t running = 0;
  Duration waiting_work{};
  Duration active_work{};
  bool is_closed = false;
};

class RequestQueue {
 public:
  explicit RequestQueue(QueueLimits limits) : limits_(limits) {}

  // Any thread. Refuses what is refused whatever it is; `until_ready` is what its model needs
  // before it paints at all.
  Result<void> check_room(std::string_view principal, std::string_view model,
                          Duration until_ready) const;
  // Untouched when refused.
  Result<QueuePlace> push(PendingRequest&& request, Duration until_ready);
  QueuePlace place_of(const Newcomer& newcomer) const;
  // False when no such request is on its way.
  bool post_cancel(RequestId id);
  void wake();
  // Nothing more goes in.
  void close();
  QueueDepth depth() const;
  RequestId next_id();
  // False when requests were still on their way after `at_most`.
  bool wait_until_empty(Duration at_most) const;

  // The lane.
  struct Taken {
    std::list<PendingRequest> arrivals;
    std::vector<RequestId> cancels;
  };
  Taken take();
  // The request no longer waits: it started or ended.
  void leave(const PendingRequest& request);
  // The request has had its final event.
  void forget(RequestId id);
  // What is left of requests that changed, and what the principals have had.
  void set_work(std::span<const WorkLeft> left, const Used& used);
  // Returns when something came, was cancelled or changed, or after `at_most`.
  void wait(Duration at_most, std::stop_token stop);

 private:
  Load* find_load(RequestId id);

  const QueueLimits limits_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  mutable std::condition_variable emptied_;
  bool is_awake_ = false;
  bool is_closed_ = false;
  std::uint64_t next_id_ = 1;
  Traffic traffic_;                               // requests until their final event
  std::unordered_map<RequestId, TimePoint> due_;  // where a request stands in the traffic
  std::vector<RequestId> cancels_;
  std::list<PendingRequest> arrivals_;
};

}  // namespace limner::engine
