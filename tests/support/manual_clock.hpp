// A clock whose hands the test turns.
#pragma once

#include <mutex>

#include "base/clock.hpp"

namespace limner::test {

class ManualClock final : public Clock {
 public:
  TimePoint now() const override {
    std::lock_guard lock(mutex_);
    return TimePoint{} + elapsed_;
  }
  std::chrono::system_clock::time_point wall_now() const override {
    std::lock_guard lock(mutex_);
    return std::chrono::system_clock::time_point{std::chrono::seconds{1'800'000'000}} +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(elapsed_);
  }
  void advance(Duration by) {
    std::lock_guard lock(mutex_);
    elapsed_ += by;
  }

 private:
  mutable std::mutex mutex_;
  Duration elapsed_ = std::chrono::hours{1};  // not zero, so that "never" differs from "at start"
};

}  // namespace limner::test
