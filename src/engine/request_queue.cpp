#include "engine/request_queue.hpp"

#include <algorithm>
#include <utility>

#include "engine/refusals.hpp"

namespace limner::engine {

Result<void> RequestQueue::check_room() const {
  std::lock_guard lock(mutex_);
  return check_room_locked();
}

Result<QueuePlace> RequestQueue::push(PendingRequest&& request) {
  QueuePlace place;
  {
    std::lock_guard lock(mutex_);
    if (auto room = check_room_locked(); !room) return room.error();
    place = {.position = static_cast<int>(waiting_), .expected_wait = active_work_ + waiting_work_};
    ++waiting_;
    waiting_work_ += request.work;
    live_.insert(static_cast<std::uint64_t>(request.id));
    arrivals_.push_back(std::move(request));
    is_awake_ = true;
  }
  changed_.notify_one();
  return place;
}

bool RequestQueue::post_cancel(RequestId id) {
  {
    std::lock_guard lock(mutex_);
    if (!live_.contains(static_cast<std::uint64_t>(id))) return false;
    if (std::ranges::find(cancels_, id) == cancels_.end()) cancels_.push_back(id);
    is_awake_ = true;
  }
  changed_.notify_one();
  return true;
}

void RequestQueue::wake() {
  {
    std::lock_guard lock(mutex_);
    is_awake_ = true;
  }
  changed_.notify_one();
}

void RequestQueue::close() {
  {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
    is_awake_ = true;
  }
  changed_.notify_one();
}

QueueDepth RequestQueue::depth() const {
  std::lock_guard lock(mutex_);
  return {.waiting = waiting_,
          .running = live_.size() - waiting_,
          .waiting_work = waiting_work_,
          .active_work = active_work_,
          .is_closed = is_closed_};
}

RequestId RequestQueue::next_id() {
  std::lock_guard lock(mutex_);
  return RequestId{next_id_++};
}

bool RequestQueue::wait_until_empty(Duration at_most) const {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, at_most, [&] { return live_.empty(); });
}

RequestQueue::Taken RequestQueue::take() {
  std::lock_guard lock(mutex_);
  is_awake_ = false;
  return {.arrivals = std::exchange(arrivals_, {}), .cancels = std::exchange(cancels_, {})};
}

void RequestQueue::leave(const PendingRequest& request) {
  std::lock_guard lock(mutex_);
  --waiting_;
  waiting_work_ -= request.work;
}

void RequestQueue::forget(RequestId id) {
  std::lock_guard lock(mutex_);
  live_.erase(static_cast<std::uint64_t>(id));
  if (live_.empty()) emptied_.notify_all();
}

void RequestQueue::set_active(Duration work_left, Duration until_room) {
  std::lock_guard lock(mutex_);
  active_work_ = work_left;
  until_room_ = until_room;
}

void RequestQueue::wait(Duration at_most, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, at_most, [&] { return is_awake_; });
}

Result<void> RequestQueue::check_room_locked() const {
  if (is_closed_) return draining(limits_.retry_after_drain);
  if (waiting_ >= limits_.requests_max) return queue_full(waiting_, until_room_);
  const Duration work = active_work_ + waiting_work_;
  // The request that crosses the line is still taken: no request is too large for an idle server.
  if (work >= limits_.work_max) return too_much_work(work, work - limits_.work_max);
  return {};
}

}  // namespace limner::engine
