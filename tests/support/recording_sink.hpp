// A sink that keeps every event, from whatever thread.
#pragma once

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/generation.hpp"

namespace limner::test {

class RecordingSink final : public EventSink {
 public:
  void emit(GenerationEvent event) override {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }

  template <typename E>
  std::vector<E> all() const {
    std::lock_guard lock(mutex_);
    std::vector<E> found;
    for (const auto& event : events_) {
      if (const E* match = std::get_if<E>(&event)) found.push_back(*match);
    }
    return found;
  }
  template <typename E>
  std::size_t count() const {
    return all<E>().size();
  }
  std::size_t final_count() const { return count<event::Completed>() + count<event::Failed>(); }
  // The error of a request that failed; empty when it did not, or not yet.
  std::optional<Error> failure() const {
    const auto failed = all<event::Failed>();
    if (failed.empty()) return std::nullopt;
    return failed.front().error;
  }
  bool has_completed() const { return count<event::Completed>() == 1; }
  bool ends_with_final() const {
    std::lock_guard lock(mutex_);
    return !events_.empty() && events_.back().index() >= 3;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<GenerationEvent> events_;
};

}  // namespace limner::test
