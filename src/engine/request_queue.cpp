#include "engine/request_queue.hpp"

#include <algorithm>
#include <utility>

#include "engine/refusals.hpp"

namespace limner::engine {

Result<void> RequestQueue::check_room(std::string_view principal, std::string_view model,
                                      Duration until_ready) const {
  std::lock_guard lock(mutex_);
  if (is_closed_) return draining(limits_.retry_after_drain);
  return check_places(traffic_, {.principal = principal, .model = model}, limits_, until_ready);
}

Result<QueuePlace> RequestQueue::push(PendingRequest&& request, Duration until_ready) {
  QueuePlace place;
  {
    std::lock_guard lock(mutex_);
    if (is_closed_) return draining(limits_.retry_after_drain);
    const Newcomer newcomer{
        .principal = request.request.principal, .model = request.request.model, .due = request.due};
    if (auto room = check_places(traffic_, newcomer, limits_, until_ready); !room)
      return room.error();
    if (auto soon = check_wait(traffic_, newcomer, limits_); !soon) return soon.error();
    place = engine::place_of(traffic_, newcomer);
    traffic_.loads.emplace(LoadKey{.due = request.due, .id = request.id},
                           Load{.principal = request.request.principal,
                                .model = request.request.model,
                                .work = request.work,
                                .is_guessed = request.is_guessed});
    due_.emplace(request.id, request.due);
    arrivals_.push_back(std::move(request));
    is_awake_ = true;
  }
  changed_.notify_one();
  return place;
}

QueuePlace RequestQueue::place_of(const Newcomer& newcomer) const {
  std::lock_guard lock(mutex_);
  return engine::place_of(traffic_, newcomer);
}

bool RequestQueue::post_cancel(RequestId id) {
  {
    std::lock_guard lock(mutex_);
    if (!due_.contains(id)) return false;
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
  QueueDepth depth{.is_closed = is_closed_};
  for (const auto& [key, load] : traffic_.loads) {
    ++(load.is_waiting ? depth.waiting : depth.running);
    (load.is_waiting ? depth.waiting_work : depth.active_work) += load.work;
  }
  return depth;
}

RequestId RequestQueue::next_id() {
  std::lock_guard lock(mutex_);
  return RequestId{next_id_++};
}

bool RequestQueue::wait_until_empty(Duration at_most) const {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, at_most, [&] { return traffic_.loads.empty(); });
}

RequestQueue::Taken RequestQueue::take() {
  std::lock_guard lock(mutex_);
  is_awake_ = false;
  return {.arrivals = std::exchange(arrivals_, {}), .cancels = std::exchange(cancels_, {})};
}

void RequestQueue::leave(const PendingRequest& request) {
  std::lock_guard lock(mutex_);
  if (auto* load = find_load(request.id)) load->is_waiting = false;
}

void RequestQueue::forget(RequestId id) {
  std::lock_guard lock(mutex_);
  if (const auto due = due_.find(id); due != due_.end()) {
    traffic_.loads.erase(LoadKey{.due = due->second, .id = id});
    due_.erase(due);
  }
  if (traffic_.loads.empty()) emptied_.notify_all();
}

void RequestQueue::set_work(std::span<const WorkLeft> left, const Used& used) {
  std::lock_guard lock(mutex_);
  traffic_.used = used;
  for (const auto& request : left) {
    auto* load = find_load(request.id);
    if (!load) continue;
    load->work = request.work;
    load->is_guessed = request.is_guessed;
  }
}

void RequestQueue::wait(Duration at_most, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, at_most, [&] { return is_awake_; });
}

Load* RequestQueue::find_load(RequestId id) {
  const auto due = due_.find(id);
  if (due == due_.end()) return nullptr;
  const auto load = traffic_.loads.find(LoadKey{.due = due->second, .id = id});
  return load == traffic_.loads.end() ? nullptr : &load->second;
}

}  // namespace limner::engine
