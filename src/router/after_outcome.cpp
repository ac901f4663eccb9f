#include "router/after_outcome.hpp"

#include <algorithm>

namespace limner::router {
namespace {

using std::chrono::milliseconds;

// min(first · 2^k, max) · U(0.8, 1.2)
milliseconds backoff(int retries, double random, const RetryPolicy& policy) {
  auto wait = policy.backoff_first;
  for (int i = 0; i < retries && wait < policy.backoff_max; ++i) wait *= 2;
  wait = std::min(wait, policy.backoff_max);
  return milliseconds(static_cast<milliseconds::rep>(
      static_cast<double>(wait.count()) * (0.8 + 0.4 * random)));
}

bool has_time(const Situation& s, milliseconds wait, const RetryPolicy& policy) {
  return s.now + wait + policy.least_time <= s.deadline;
}

Next leave(const Situation& s, const RetryPolicy& policy) {
  if (!has_time(s, milliseconds(0), policy)) return next::Stop{};
  return next::OtherPlace{};
}

Next take_other_key(const Situation& s, milliseconds wait, const RetryPolicy& policy) {
  if (!s.has_other_key || !has_time(s, wait, policy)) return leave(s, policy);
  return next::SamePlace{.wait = wait, .takes_other_key = true, .counts_as_retry = false};
}

// The same key again after a wait, while retries and time are left.
Next retry(const Situation& s, const RetryPolicy& policy) {
  const auto wait = s.outcome.retry_after.value_or(backoff(s.tries.retries, s.random, policy));
  const bool is_too_long = s.outcome.retry_after && wait > policy.told_wait_max;
  if (s.tries.retries >= policy.retries_max || is_too_long || !has_time(s, wait, policy)) {
    return leave(s, policy);
  }
  return next::SamePlace{.wait = wait};
}

Next after_limited(const Situation& s, const RetryPolicy& policy) {
  if (s.has_other_key && !s.keys_share_account) return take_other_key(s, milliseconds(0), policy);
  auto next = retry(s, policy);
  if (auto* same = std::get_if<next::SamePlace>(&next)) same->takes_other_key = s.has_other_key;
  return next;
}

}  // namespace

std::string_view to_string(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::Done:
      return "done";
    case OutcomeKind::BadRequest:
      return "bad_request";
    case OutcomeKind::Unsupported:
      return "unsupported";
    case OutcomeKind::Moderated:
      return "moderated";
    case OutcomeKind::BadKey:
      return "bad_key";
    case OutcomeKind::NoModel:
      return "no_model";
    case OutcomeKind::Limited:
      return "limited";
    case OutcomeKind::Busy:
      return "busy";
    case OutcomeKind::Broken:
      return "broken";
    case OutcomeKind::Late:
      return "late";
    case OutcomeKind::Unreachable:
      return "unreachable";
    case OutcomeKind::Gone:
      return "gone";
  }
  return "";
}

bool is_unsure(const Outcome& outcome) {
  return outcome.was_sent &&
         (outcome.kind == OutcomeKind::Broken || outcome.kind == OutcomeKind::Late);
}

Next after(const Situation& s, const RetryPolicy& policy) {
  if (s.was_shown) return next::Stop{};
  switch (s.outcome.kind) {
    case OutcomeKind::Done:
    case OutcomeKind::BadRequest:
    case OutcomeKind::Moderated:
    case OutcomeKind::Gone:
      return next::Stop{};
    case OutcomeKind::Unsupported:
    case OutcomeKind::Late:  // it may be painting still
      return leave(s, policy);
    case OutcomeKind::BadKey:
    case OutcomeKind::NoModel:
      return take_other_key(s, milliseconds(0), policy);
    case OutcomeKind::Limited:
      return after_limited(s, policy);
    case OutcomeKind::Broken:
      // A picture costs money: twice may be paid for one, not more.
      if (s.tries.unsure > 1) return leave(s, policy);
      return retry(s, policy);
    case OutcomeKind::Busy:
    case OutcomeKind::Unreachable:
      return retry(s, policy);
  }
  return next::Stop{};
}

}  // namespace limner::router
