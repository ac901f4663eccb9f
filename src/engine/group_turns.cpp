#include "engine/group_turns.hpp"

#include <algorithm>

namespace limner::engine {

void GroupTurns::sync(std::span<const Group> present) {
  std::erase_if(turns_, [&](const GroupTurn& turn) {
    return std::ranges::find(present, turn.group) == present.end();
  });
  Duration least{0};
  if (!turns_.empty()) least = std::ranges::min_element(turns_, {}, &GroupTurn::used)->used;
  for (const auto& group : present) {
    if (std::ranges::find(turns_, group, &GroupTurn::group) != turns_.end()) continue;
    turns_.push_back({.group = group, .used = least});
  }
}

void GroupTurns::record(const Group& served, Duration took) {
  for (auto& turn : turns_) {
    if (turn.group == served) {
      turn.used += took;
      turn.ticks_idle = 0;
    } else {
      ++turn.ticks_idle;
    }
  }
}

}  // namespace limner::engine
