// Time is passed in, so that tests can turn the hands (tests/support/manual_clock.hpp).
#pragma once

#include <chrono>

namespace limner {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  // Seconds since 1970, for `created` and expiry.
  virtual std::chrono::system_clock::time_point wall_now() const = 0;
};

// The process's real clock.
const Clock& system_clock();

}  // namespace limner
