// Who may still come in: pure functions of what is on its way, so that every rule can be tested
// with plain values.
//
// So many requests may wait for a model. When its places are all taken, a principal that has less
// than its fair share of them is let in still, up to twice the places: nobody can fill the queue
// for everybody. And nobody is let in who would wait too long, which depends on what comes before
// him (turn_order.hpp), not on all there is: a long job does not close the server to short ones.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/limits.hpp"
#include "engine/batcher.hpp"
#include "engine/turn_order.hpp"

namespace limner::engine {

struct QueueLimits {
  std::size_t requests_max = Limits{}.queued_requests_max;  // that wait for one model
  std::size_t requests_per_principal_max = 0;               // over all models; 0: the fair share
  Duration work_max = Limits{}.queued_work_max;             // that a newcomer may have before him
  Duration retry_after_drain = std::chrono::seconds{5};
};

// A request on its way, as others see it.
struct Load {
  std::string principal;
  std::string model;
  Duration work{};          // left of it: its share of the machine
  bool is_waiting = true;   // else it is being painted
  bool is_guessed = false;  // nothing was measured yet that `work` could come from
};

struct LoadKey {
  TimePoint due{};
  RequestId id{};
  friend auto operator<=>(const LoadKey&, const LoadKey&) = default;
};
using Loads = std::map<LoadKey, Load>;

struct Newcomer {
  std::string_view principal;
  std::string_view model;
  TimePoint due = TimePoint::max();  // behind all that its principal has on its way
};

struct QueuePlace {
  int position = 0;  // 0 is next
  Duration expected_wait{};
  Duration measured_wait{};  // of it, what does not come from guesses
};

// All that is on its way, and what its principals have had.
struct Traffic {
  Loads loads = {};
  Used used = {};
};

// Where the newcomer would stand: behind what of his own is due earlier, and behind as much of each
// other principal as brings that one level with him.
QueuePlace place_of(const Traffic& traffic, const Newcomer& newcomer);

// RateLimited "queue_full", with Retry-After from the newcomer's own place; `until_ready` is what
// its model needs before it paints at all.
Result<void> check_places(const Traffic& traffic, const Newcomer& newcomer,
                          const QueueLimits& limits, Duration until_ready);
Result<void> check_wait(const Traffic& traffic, const Newcomer& newcomer,
                        const QueueLimits& limits);

}  // namespace limner::engine
