// Whether a place is worth asking: opens when it keeps failing, lets one request through after a
// while to see. Pure over the times it is told; not thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"
#include "router/outcome.hpp"

namespace limner::router {

// Few attempts: so many failures open it. Many: half of them have to fail, or a busy place would
// be shut by five failures of five thousand.
struct BreakerPolicy {
  std::chrono::milliseconds window{30'000};
  int failures_max = 5;
  int attempts_for_share = 20;
  std::chrono::milliseconds open_first{15'000};  // doubled with each failed probe
  std::chrono::milliseconds open_max{120'000};
};

class Breaker {
 public:
  explicit Breaker(BreakerPolicy policy = {}) : policy_(policy) {}

  enum class State { Closed, Open, Probing };
  State state(TimePoint now) const;

  // Takes the one probe of an open breaker whose time is over.
  bool may_try(TimePoint now);
  // Every attempt that may_try allowed, or that was made all the same, is noted once.
  void note(OutcomeKind outcome, TimePoint now);

 private:
  // A slice of the window, so that memory does not grow with traffic.
  struct Slice {
    std::int64_t number = -1;
    int attempts = 0;
    int failures = 0;
  };

  void count(bool is_failure, TimePoint now);
  bool has_failed_enough(TimePoint now) const;
  std::int64_t slice_number(TimePoint now) const;
  void open(TimePoint now);
  void close();

  BreakerPolicy policy_;
  std::array<Slice, 30> slices_{};
  bool is_open_ = false;
  bool is_probing_ = false;
  TimePoint open_until_{};
  std::chrono::milliseconds open_for_{0};
};

// Broken, Late, Unreachable and Busy: the place's own trouble.
bool counts_against_place(OutcomeKind outcome);

}  // namespace limner::router
