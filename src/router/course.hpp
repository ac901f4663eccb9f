// One request's way through its places: where it is and what it has tried. Pure; the driver makes
// the attempts.
#pragma once

#include <cstddef>
#include <vector>

#include "router/after_outcome.hpp"

namespace limner::router {

class Course {
 public:
  // One policy for each place, in the order they are tried; at least one.
  Course(std::vector<RetryPolicy> places, TimePoint deadline)
      : places_(std::move(places)), deadline_(deadline) {}

  struct Facts {
    bool has_other_key = false;
    bool keys_share_account = false;
    bool was_shown = false;
    double random = 0;
  };
  // The attempt at place() ended so. OtherPlace: place() is the next one already. Stop: there is
  // nothing more to try.
  Next note(const Outcome& outcome, const Facts& facts, TimePoint now);
  // No attempt could be made at place(): not permitted, no key, no money.
  Next skip(TimePoint now);

  std::size_t place() const { return place_; }
  // Of attempts that reached a place, retries and other keys included.
  int attempt_count() const { return attempt_count_; }

 private:
  Next move_on(TimePoint now);

  std::vector<RetryPolicy> places_;
  TimePoint deadline_;
  std::size_t place_ = 0;
  Tries tries_;  // at place_
  int attempt_count_ = 0;
};

}  // namespace limner::router
