// What must hold of every request's way through its places, whatever they answer: random histories
// under a clock that the test turns. A failure prints its seed.
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "property/seeds.hpp"
#include "router/course.hpp"

namespace limner::router {
namespace {

using std::chrono::milliseconds;

constexpr OutcomeKind kOutcomes[] = {
    OutcomeKind::Done,    OutcomeKind::BadRequest, OutcomeKind::Unsupported,
    OutcomeKind::Moderated, OutcomeKind::BadKey,   OutcomeKind::NoModel,
    OutcomeKind::Limited, OutcomeKind::Busy,       OutcomeKind::Broken,
    OutcomeKind::Late,    OutcomeKind::Unreachable, OutcomeKind::Gone};

// The driver's part of the bargain, without any place.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    const int count = pick(1, 6);
    for (int i = 0; i < count; ++i) {
      policies_.push_back({.retries_max = pick(0, 5)});
      keys_.push_back(pick(0, 4));
    }
    deadline_ = now_ + milliseconds(pick(0, 900'000));
    // Some worlds are mostly bad, so that ways become long.
    done_percent_ = pick(0, 20);
  }

  void run() {
    Course course(policies_, deadline_);
    Next next = begin(course);
    while (!std::holds_alternative<next::Stop>(next)) {
      if (const auto* same = std::get_if<next::SamePlace>(&next)) {
        now_ += same->wait;
        if (same->takes_other_key) {
          ASSERT_GT(keys_left_, 0) << "another key where there is none";
          --keys_left_;
        }
      } else {
        ASSERT_GT(course.place(), place_) << "a place came twice";
        place_ = course.place();
        enter();
      }
      next = keys_left_here_at_entry_ == 0 ? course.skip(now_) : attempt(course);
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_EQ(course.attempt_count(), attempt_count_);
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  Next begin(Course& course) {
    place_ = course.place();
    enter();
    if (keys_left_here_at_entry_ == 0) return course.skip(now_);
    // The driver never begins a request without time: it would have been refused.
    if (now_ + policies_[0].least_time > deadline_) return next::Stop{};
    return attempt(course);
  }

  void enter() {
    keys_left_here_at_entry_ = keys_[place_];
    keys_left_ = keys_[place_] - 1;
    unsure_here_ = retries_here_ = 0;
    was_late_here_ = false;
  }

  Next attempt(Course& course) {
    check_that_an_attempt_is_allowed();
    ++attempt_count_;
    const auto outcome = make_outcome();
    now_ += milliseconds(pick(0, pick(0, 3) == 0 ? 200'000 : 3'000));
    if (outcome.kind == OutcomeKind::Done || outcome.kind == OutcomeKind::Gone) is_over_ = true;
    was_late_here_ = outcome.kind == OutcomeKind::Late;
    unsure_here_ += is_unsure(outcome) ? 1 : 0;
    const bool was_shown = outcome.kind == OutcomeKind::Broken && pick(0, 9) == 0;
    is_over_ = is_over_ || was_shown;
    const auto next = course.note(outcome,
                                  {.has_other_key = keys_left_ > 0,
                                   .keys_share_account = pick(0, 1) == 0,
                                   .was_shown = was_shown,
                                   .random = std::uniform_real_distribution<>(0, 1)(random_)},
                                  now_);
    if (const auto* same = std::get_if<next::SamePlace>(&next)) {
      retries_here_ += same->counts_as_retry ? 1 : 0;
    }
    return next;
  }

  Outcome make_outcome() {
    Outcome outcome;
    outcome.kind = pick(0, 99) < done_percent_ ? OutcomeKind::Done
                                               : kOutcomes[static_cast<std::size_t>(pick(1, 11))];
    outcome.was_sent = outcome.kind != OutcomeKind::Unreachable && pick(0, 3) > 0;
    if (pick(0, 2) == 0) outcome.retry_after = milliseconds(pick(0, 120'000));
    return outcome;
  }

  void check_that_an_attempt_is_allowed() {
    ASSERT_FALSE(is_over_) << "an attempt after the client had its picture, or had left";
    ASSERT_LE(now_ + policies_[place_].least_time, deadline_) << "an attempt beyond the deadline";
    ASSERT_FALSE(was_late_here_) << "a place that may be painting still is asked again";
    ASSERT_LE(unsure_here_, 1) << "one picture may be paid for more than twice";
    ASSERT_LE(retries_here_, policies_[place_].retries_max);
    ASSERT_LE(attempt_count_, 6 * (5 + 4)) << "a way without an end";
  }

  std::mt19937 random_;
  std::vector<RetryPolicy> policies_;
  std::vector<int> keys_;
  int done_percent_ = 0;
  TimePoint now_ = TimePoint{} + std::chrono::hours(1);
  TimePoint deadline_;

  std::size_t place_ = 0;
  int keys_left_here_at_entry_ = 0;
  int keys_left_ = 0;
  int unsure_here_ = 0;
  int retries_here_ = 0;
  bool was_late_here_ = false;
  int attempt_count_ = 0;
  bool is_over_ = false;
};

TEST(CourseProperty, NoPictureIsPaidTwiceAndNothingFollowsAnAnswer) {
  for (unsigned seed = 0; seed < test::seed_count(10'000); ++seed) {
    World(seed).run();
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace limner::router
