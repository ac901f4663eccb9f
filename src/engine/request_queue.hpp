// The door of the engine: any thread puts requests in, one lane takes them out. Keeps the count and
// the expected work of what waits, refuses what is too much, and wakes the lane.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
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
  Duration work{};                    // share of the machine, as it was counted when it came
  Duration expected{};                // were it alone; its claim in the batcher
  int announced_position = -1;
  std::string announced_stage = {};
};

struct QueueLimits {
  std::size_t requests_max = 64;
  Duration work_max = std::chrono::seconds{600};
  Duration retry_after_drain = std::chrono::seconds{5};
};

struct QueueDepth {
  std::size_t waiting = 0;
  std::size_t running = 0;
  Duration waiting_work{};
  Duration active_work{};
  bool is_closed = false;
};

struct QueuePlace {
  int position = 0;  // 0 is next
  Duration expected_wait{};
};

class RequestQueue {
 public:
  explicit RequestQueue(QueueLimits limits) : limits_(limits) {}

  // Any thread.
  Result<void> check_room() const;
  // Untouched when refused.
  Result<QueuePlace> push(PendingRequest&& request);
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
  // Work left in what runs, and the time until a place in the queue is expected to be free.
  void set_active(Duration work_left, Duration until_room);
  // Returns when something came, was cancelled or changed, or after `at_most`.
  void wait(Duration at_most, std::stop_token stop);

 private:
  Result<void> check_room_locked() const;

  const QueueLimits limits_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  mutable std::condition_variable emptied_;
  bool is_awake_ = false;
  bool is_closed_ = false;
  std::uint64_t next_id_ = 1;
  std::size_t waiting_ = 0;
  Duration waiting_work_{};
  Duration active_work_{};
  Duration until_room_{};
  std::unordered_set<std::uint64_t> live_;
  std::vector<RequestId> cancels_;
  std::list<PendingRequest> arrivals_;
};

}  // namespace limner::engine
