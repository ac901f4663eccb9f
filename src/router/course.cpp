#include "router/course.hpp"

namespace limner::router {

Next Course::note(const Outcome& outcome, const Facts& facts, TimePoint now) {
  ++attempt_count_;
  tries_.unsure += is_unsure(outcome) ? 1 : 0;
  const auto next = after({.outcome = outcome,
                           .tries = tries_,
                           .has_other_key = facts.has_other_key,
                           .keys_share_account = facts.keys_share_account,
                           .was_shown = facts.was_shown,
                           .now = now,
                           .deadline = deadline_,
                           .random = facts.random},
                          places_[place_]);
  if (const auto* same = std::get_if<next::SamePlace>(&next)) {
    tries_.retries += same->counts_as_retry ? 1 : 0;
    return next;
  }
  return std::holds_alternative<next::OtherPlace>(next) ? move_on(now) : next;
}

Next Course::skip(TimePoint now) { return move_on(now); }

Next Course::move_on(TimePoint now) {
  if (place_ + 1 >= places_.size()) return next::Stop{};
  ++place_;
  tries_ = {};
  if (now + places_[place_].least_time > deadline_) return next::Stop{};
  return next::OtherPlace{};
}

}  // namespace limner::router
