// What each group of requests has had of the machine, kept from one plan to the next.
#pragma once

#include <span>
#include <vector>

#include "engine/batcher.hpp"

namespace limner::engine {

class GroupTurns {
 public:
  // Forgets groups that are gone; a new one starts level with the least served, so that it neither
  // has to catch up nor may.
  void sync(std::span<const Group> present);
  // One call of `served` took this long; everybody else was passed over.
  void record(const Group& served, Duration took);
  std::span<const GroupTurn> view() const { return turns_; }

 private:
  std::vector<GroupTurn> turns_;
};

}  // namespace limner::engine
