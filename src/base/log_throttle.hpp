// For lines that strangers cause: one in a while, which says how many were left out.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/clock.hpp"

namespace limner {

// Not thread-safe.
class LogThrottle {
 public:
  explicit LogThrottle(Duration interval) : interval_(interval) {}

  // How many lines were left out before this one; empty: leave this one out too.
  std::optional<std::size_t> pass(TimePoint now) {
    if (last_ && now - *last_ < interval_) {
      ++left_out_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(left_out_, 0);
  }

 private:
  const Duration interval_;
  std::optional<TimePoint> last_;
  std::size_t left_out_ = 0;
};

}  // namespace limner
