// Whose turn it is among those who wait for the same machine: fair queueing. What a principal has
// had of it, and what of its own comes first, is when its request begins in virtual time; the
// earliest begins. Within a principal it goes by when requests are due. Who sends a hundred
// requests so waits for his own, not others for him.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace limner::engine {

struct Turn {
  std::string_view principal;
  Duration used{};  // what the principal has had
  TimePoint due{};
  Duration work{};
  std::uint64_t id = 0;  // decides between equals
};

// The places of `all` in the order of their turns.
std::vector<std::size_t> turn_order(std::span<const Turn> all);

// What each principal has had of the machine while it had requests on their way.
using Used = std::map<std::string, Duration, std::less<>>;

class PrincipalTurns {
 public:
  // Forgets who is gone; a newcomer starts level with the least served, so that he neither has to
  // catch up nor may.
  void sync(std::span<const std::string_view> present);
  void record(std::string_view principal, Duration took);
  Duration used(std::string_view principal) const;
  const Used& all() const { return used_; }

 private:
  Used used_;
};

// Of a principal that is not among them: level with the least served.
Duration used_by(const Used& used, std::string_view principal);

}  // namespace limner::engine
