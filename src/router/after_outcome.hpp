// What follows an attempt: the same place again, another key, the next place, or the end. A pure
// function: the driver (router/…) only carries out what it says.
#pragma once

#include <chrono>
#include <variant>

#include "base/clock.hpp"
#include "router/outcome.hpp"

namespace limner::router {

struct RetryPolicy {
  int retries_max = 1;                            // of one place
  std::chrono::milliseconds backoff_first{500};   // doubled with each retry
  std::chrono::milliseconds backoff_max{5'000};
  std::chrono::milliseconds told_wait_max{60'000};  // a place that says more is left
  std::chrono::milliseconds least_time{5'000};      // with less left, no attempt is begun
};

// What was done at this place so far, the attempt that just ended included.
struct Tries {
  int retries = 0;  // after the first attempt; another key at once is none
  int unsure = 0;   // sent whole and not answered: each may have been billed
};

struct Situation {
  Outcome outcome;
  Tries tries;
  bool has_other_key = false;       // that may be used for this model and is not resting
  bool keys_share_account = false;  // and with it their rate limit
  bool was_shown = false;           // the client has seen a picture of this attempt
  TimePoint now;
  TimePoint deadline;  // of the request, over all its attempts
  double random = 0;   // 0 ≤ random < 1
};

namespace next {
struct SamePlace {
  std::chrono::milliseconds wait{0};
  bool takes_other_key = false;
  bool counts_as_retry = true;
};
struct OtherPlace {};
struct Stop {};
}  // namespace next

using Next = std::variant<next::SamePlace, next::OtherPlace, next::Stop>;

Next after(const Situation& situation, const RetryPolicy& policy);

// Whether the attempt may have been billed though no picture came.
bool is_unsure(const Outcome& outcome);

}  // namespace limner::router
