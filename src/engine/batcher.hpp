// Who takes the next step: a pure function of what waits and what runs, so that every rule can be
// tested with plain values. One plan is one network call, so all its requests share one group.
//
// Among groups: the one that has used the least time goes next, and none is passed over for more
// than turn_ticks_max ticks (or one round of all groups, when there are more groups than that).
// Within a group: principals in turn (turn_order.hpp), and each one's own by `since + stretch *
// work`, so a short request may pass a long one, but only until the long one has waited `stretch`
// times its own length: nobody starves.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "diffusion/pipelines/pipeline.hpp"

namespace limner::engine {

enum class RequestId : std::uint64_t {};

// Requests that one network call can carry together.
struct Group {
  std::string model;
  pipelines::BatchKey key;
  friend auto operator<=>(const Group&, const Group&) = default;
};

struct Waiting {
  RequestId id{};
  Group group;
  int rows = 1;      // of one step
  int rows_max = 1;  // of one call of its group; a request with more goes alone
  TimePoint since{};
  Duration work{};             // expected for the whole request
  std::string principal = {};  // whose it is
  Duration used{};             // what that principal has had
};

struct Active {
  Waiting request;
  int ticks_idle = 0;  // since it was admitted or last stepped
};

// What a group has had so far (group_turns.hpp).
struct GroupTurn {
  Group group;
  Duration used{};     // time of its calls
  int ticks_idle = 0;  // plans that passed it over since its last turn
};

struct BatchLimits {
  int active_max = 32;              // latents and prompt embeds held at once
  int active_reserved = 8;          // of these, for groups that have nothing active yet
  int admissions_per_tick_max = 4;  // each costs a run of the text encoders
  int turn_ticks_max = 8;
  int request_ticks_max = 16;  // a paused request goes first in its group's next turn
  int stretch = 2;
};

// Until when a request may be passed by shorter ones of its principal.
TimePoint due_of(TimePoint since, Duration work, const BatchLimits& limits);

struct BatchPlan {
  std::vector<RequestId> admit;  // to be prepared; a part of step
  std::vector<RequestId> step;   // in the order of the batch
};

BatchPlan plan_batch(std::span<const Waiting> waiting, std::span<const Active> active,
                     std::span<const GroupTurn> turns, const BatchLimits& limits);

}  // namespace limner::engine
