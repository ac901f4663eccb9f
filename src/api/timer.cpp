#include "api/timer.hpp"

#include <utility>

namespace limner::api {

Timer::Timer() : thread_([this](std::stop_token stop) { run(stop); }) {}

Timer::~Timer() {
  thread_.request_stop();
}

void Timer::after(std::chrono::milliseconds delay, std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    callbacks_.emplace(std::chrono::steady_clock::now() + delay, std::move(callback));
  }
  changed_.notify_one();
}

void Timer::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (callbacks_.empty()) {
      changed_.wait(lock, stop, [&] { return !callbacks_.empty(); });
      continue;
    }
    const auto due = callbacks_.begin()->first;
    if (std::chrono::steady_clock::now() < due) {
      changed_.wait_until(lock, stop, due,
                          [&] { return callbacks_.empty() || callbacks_.begin()->first < due; });
      continue;
    }
    auto callback = std::move(callbacks_.begin()->second);
    callbacks_.erase(callbacks_.begin());
    lock.unlock();
    callback();
    callback = nullptr;  // what it holds must not be destroyed under the lock
    lock.lock();
  }
}

}  // namespace limner::api
