// Whether a body arrives fast enough. Knows no clock.
#pragma once

#include <cstddef>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/server.hpp"

namespace limner::http {

class BodyPace {
 public:
  BodyPace(const Timeouts& timeouts, TimePoint started);

  // Of `size` bytes that have come by `now`: RequestTimeout when it has taken too long. While the
  // memory for bodies is strained, a large one has to keep a rate of its own at all times: a burst
  // at the beginning earns nothing.
  std::optional<Error> check(std::size_t size, bool is_strained, TimePoint now);
  // When to check again at the latest.
  TimePoint next_check() const;

 private:
  TimePoint deadline() const;
  bool is_slow_in_window(std::size_t size, bool is_strained, TimePoint now);

  const Timeouts& timeouts_;
  const TimePoint started_;
  std::size_t size_ = 0;
  TimePoint last_progress_;
  TimePoint window_begin_;
  std::size_t window_size_ = 0;  // that had come when it began
};

}  // namespace limner::http
