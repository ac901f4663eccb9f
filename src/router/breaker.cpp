#include "router/breaker.hpp"

#include <algorithm>
#include <utility>

namespace limner::router {

bool counts_against_place(OutcomeKind outcome) {
  return outcome == OutcomeKind::Broken || outcome == OutcomeKind::Late ||
         outcome == OutcomeKind::Unreachable || outcome == OutcomeKind::Busy;
}

Breaker::State Breaker::state(TimePoint now) const {
  if (!is_open_) return State::Closed;
  return is_probing_ || now >= open_until_ ? State::Probing : State::Open;
}

bool Breaker::may_try(TimePoint now) {
  if (!is_open_) return true;
  if (now < open_until_) return false;
  is_probing_ = true;
  // A probe that is never noted must not keep the place shut for ever.
  open_until_ = now + policy_.open_max;
  return true;
}

void Breaker::note(OutcomeKind outcome, TimePoint now) {
  // A client that left says nothing of the place; but its probe is over.
  if (outcome == OutcomeKind::Gone) {
    if (std::exchange(is_probing_, false)) open_until_ = now;
    return;
  }
  const bool is_failure = counts_against_place(outcome);
  if (is_open_) {
    if (!is_failure) {
      close();
    } else if (is_probing_) {
      open(now);
    }
    return;
  }
  count(is_failure, now);
  if (is_failure && has_failed_enough(now)) open(now);
}

std::int64_t Breaker::slice_number(TimePoint now) const {
  return now.time_since_epoch() / (policy_.window / static_cast<int>(slices_.size()));
}

void Breaker::count(bool is_failure, TimePoint now) {
  const auto number = slice_number(now);
  auto& slice = slices_[static_cast<std::size_t>(number) % slices_.size()];
  if (slice.number != number) slice = {.number = number};
  ++slice.attempts;
  slice.failures += is_failure ? 1 : 0;
}

bool Breaker::has_failed_enough(TimePoint now) const {
  const auto oldest = slice_number(now) - static_cast<std::int64_t>(slices_.size());
  int attempts = 0;
  int failures = 0;
  for (const auto& slice : slices_) {
    if (slice.number <= oldest) continue;
    attempts += slice.attempts;
    failures += slice.failures;
  }
  if (attempts >= policy_.attempts_for_share) return 2 * failures >= attempts;
  return failures >= policy_.failures_max;
}

void Breaker::open(TimePoint now) {
  open_for_ = is_open_ ? std::min(2 * open_for_, policy_.open_max) : policy_.open_first;
  is_open_ = true;
  is_probing_ = false;
  open_until_ = now + open_for_;
}

void Breaker::close() {
  is_open_ = false;
  is_probing_ = false;
  slices_ = {};
}

}  // namespace limner::router
