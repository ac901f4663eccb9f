#include "router/after_outcome.hpp"

#include <gtest/gtest.h>

namespace limner::router {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Something happened at a place with one key, ten minutes before the deadline.
Situation situation(OutcomeKind kind) {
  Situation s;
  s.outcome.kind = kind;
  s.now = TimePoint{} + 1h;
  s.deadline = s.now + 10min;
  s.random = 0.5;
  return s;
}

std::string text_of(const Next& next) {
  if (std::holds_alternative<next::Stop>(next)) return "stop";
  if (std::holds_alternative<next::OtherPlace>(next)) return "next place";
  const auto& same = std::get<next::SamePlace>(next);
  return (same.takes_other_key ? "next key" : "same key") +
         (same.wait > 0ms ? " after " + std::to_string(same.wait.count()) : std::string());
}

std::string after_text(const Situation& s, const RetryPolicy& policy = {}) {
  return text_of(after(s, policy));
}

struct Row {
  OutcomeKind kind;
  const char* first;           // one key, no retry yet
  const char* with_other_key;  // no retry yet
  const char* retries_used;    // one key
};

class OutcomeTable : public testing::TestWithParam<Row> {};

TEST_P(OutcomeTable, SaysWhatFollows) {
  const auto& row = GetParam();
  auto s = situation(row.kind);
  EXPECT_EQ(after_text(s), row.first);
  s.has_other_key = true;
  EXPECT_EQ(after_text(s), row.with_other_key);
  s.has_other_key = false;
  s.tries.retries = 1;
  EXPECT_EQ(after_text(s), row.retries_used);
}

INSTANTIATE_TEST_SUITE_P(
    AfterOutcome, OutcomeTable,
    testing::Values(
        Row{OutcomeKind::Done, "stop", "stop", "stop"},
        Row{OutcomeKind::BadRequest, "stop", "stop", "stop"},
        Row{OutcomeKind::Unsupported, "next place", "next place", "next place"},
        Row{OutcomeKind::Moderated, "stop", "stop", "stop"},
        Row{OutcomeKind::BadKey, "next place", "next key", "next place"},
        Row{OutcomeKind::NoModel, "next place", "next key", "next place"},
        Row{OutcomeKind::Limited, "same key after 500", "next key", "next place"},
        Row{OutcomeKind::Busy, "same key after 500", "same key after 500", "next place"},
        Row{OutcomeKind::Broken, "same key after 500", "same key after 500", "next place"},
        Row{OutcomeKind::Late, "next place", "next place", "next place"},
        Row{OutcomeKind::Unreachable, "same key after 500", "same key after 500", "next place"},
        Row{OutcomeKind::Gone, "stop", "stop", "stop"}),
    [](const auto& row) { return std::string(to_string(row.param.kind)); });

TEST(AfterOutcome, ATimeThatThePlaceToldIsWaited) {
  auto s = situation(OutcomeKind::Limited);
  s.outcome.retry_after = 2s;
  EXPECT_EQ(after_text(s), "same key after 2000");
  s.outcome.retry_after = 0s;
  EXPECT_EQ(after_text(s), "same key");
}

TEST(AfterOutcome, APlaceThatAsksForTooLongIsLeft) {
  auto s = situation(OutcomeKind::Limited);
  s.outcome.retry_after = 60s;
  EXPECT_EQ(after_text(s), "same key after 60000");
  s.outcome.retry_after = 61s;
  EXPECT_EQ(after_text(s), "next place");
  s.outcome.retry_after = 3600s;
  EXPECT_EQ(after_text(s), "next place");
}

TEST(AfterOutcome, KeysOfOneAccountShareItsLimitAndSoTheWait) {
  auto s = situation(OutcomeKind::Limited);
  s.has_other_key = true;
  s.keys_share_account = true;
  s.outcome.retry_after = 2s;
  EXPECT_EQ(after_text(s), "next key after 2000");
}

TEST(AfterOutcome, WaitsDoubleUpToAMaximumAndVaryByAFifth) {
  const RetryPolicy policy{.retries_max = 5};
  auto s = situation(OutcomeKind::Busy);
  for (const auto& [retries, wait] :
       {std::pair{0, 500}, {1, 1000}, {2, 2000}, {3, 4000}, {4, 5000}}) {
    s.tries.retries = retries;
    s.random = 0.5;
    EXPECT_EQ(after_text(s, policy), "same key after " + std::to_string(wait));
    s.random = 0;
    EXPECT_EQ(after_text(s, policy), "same key after " + std::to_string(wait * 8 / 10));
    s.random = 0.999'999;
    const auto next = after(s, policy);
    EXPECT_LE(std::get<next::SamePlace>(next).wait, milliseconds(wait * 12 / 10));
  }
}

TEST(AfterOutcome, WhatMayHaveBeenBilledIsRetriedOnceHoweverManyRetriesThereAre) {
  const RetryPolicy policy{.retries_max = 5};
  auto s = situation(OutcomeKind::Broken);
  s.outcome.was_sent = true;
  s.tries = {.retries = 0, .unsure = 1};
  EXPECT_EQ(after_text(s, policy), "same key after 500");
  s.tries = {.retries = 1, .unsure = 2};
  EXPECT_EQ(after_text(s, policy), "next place");
  // Nothing was sent: free.
  s.outcome.was_sent = false;
  s.tries = {.retries = 1, .unsure = 0};
  EXPECT_EQ(after_text(s, policy), "same key after 1000");
}

TEST(AfterOutcome, NothingFollowsOnceTheClientSawAPicture) {
  for (const auto kind : {OutcomeKind::Broken, OutcomeKind::Late, OutcomeKind::Busy,
                          OutcomeKind::Unsupported, OutcomeKind::BadKey}) {
    auto s = situation(kind);
    s.has_other_key = true;
    s.was_shown = true;
    EXPECT_EQ(after_text(s), "stop") << to_string(kind);
  }
}

TEST(AfterOutcome, NoAttemptIsBegunWithTooLittleTimeLeft) {
  auto s = situation(OutcomeKind::Limited);
  s.outcome.retry_after = 30s;
  s.deadline = s.now + 34s;  // after the wait four seconds are left: the next place has all of it
  EXPECT_EQ(after_text(s), "next place");
  s.deadline = s.now + 4s;
  EXPECT_EQ(after_text(s), "stop");
  s = situation(OutcomeKind::BadKey);
  s.has_other_key = true;
  s.deadline = s.now + 4s;
  EXPECT_EQ(after_text(s), "stop");
}

}  // namespace
}  // namespace limner::router
