#include "router/breaker.hpp"

#include <gtest/gtest.h>

namespace limner::router {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart = TimePoint{} + 1h;

class BreakerTest : public testing::Test {
 protected:
  void fail(int count) {
    for (int i = 0; i < count; ++i) breaker_.note(OutcomeKind::Broken, now_);
  }
  Breaker breaker_;
  TimePoint now_ = kStart;
};

TEST_F(BreakerTest, OpensAtTheFifthFailure) {
  fail(4);
  EXPECT_TRUE(breaker_.may_try(now_));
  fail(1);
  EXPECT_FALSE(breaker_.may_try(now_));
  EXPECT_EQ(breaker_.state(now_), Breaker::State::Open);
}

TEST_F(BreakerTest, OnlyThePlacesOwnTroubleCounts) {
  for (const auto kind : {OutcomeKind::Done, OutcomeKind::BadRequest, OutcomeKind::Unsupported,
                          OutcomeKind::Moderated, OutcomeKind::BadKey, OutcomeKind::NoModel,
                          OutcomeKind::Limited, OutcomeKind::Gone}) {
    Breaker breaker;
    for (int i = 0; i < 50; ++i) breaker.note(kind, now_);
    EXPECT_TRUE(breaker.may_try(now_)) << to_string(kind);
  }
  for (const auto kind : {OutcomeKind::Broken, OutcomeKind::Late, OutcomeKind::Unreachable,
                          OutcomeKind::Busy}) {
    Breaker breaker;
    for (int i = 0; i < 5; ++i) breaker.note(kind, now_);
    EXPECT_FALSE(breaker.may_try(now_)) << to_string(kind);
  }
}

TEST_F(BreakerTest, FailuresOutsideTheWindowAreForgotten) {
  fail(4);
  now_ += 31s;
  fail(4);
  EXPECT_TRUE(breaker_.may_try(now_));
}

TEST_F(BreakerTest, OfManyAttemptsHalfHaveToFail) {
  for (int i = 0; i < 40; ++i) breaker_.note(OutcomeKind::Done, now_);
  fail(39);
  EXPECT_TRUE(breaker_.may_try(now_));
  fail(1);
  EXPECT_FALSE(breaker_.may_try(now_));
}

TEST_F(BreakerTest, AfterAWhileOneRequestMayTryAndItsSuccessCloses) {
  fail(5);
  now_ += 14'999ms;
  EXPECT_FALSE(breaker_.may_try(now_));
  now_ += 1ms;
  EXPECT_TRUE(breaker_.may_try(now_));
  EXPECT_FALSE(breaker_.may_try(now_)) << "one probe at a time";
  EXPECT_EQ(breaker_.state(now_), Breaker::State::Probing);
  breaker_.note(OutcomeKind::Done, now_);
  EXPECT_EQ(breaker_.state(now_), Breaker::State::Closed);
  fail(4);
  EXPECT_TRUE(breaker_.may_try(now_));
}

TEST_F(BreakerTest, EachFailedProbeDoublesTheTimeUpToAMaximum) {
  fail(5);
  for (const auto open_for : {15s, 30s, 60s, 120s, 120s}) {
    now_ += open_for - 1ms;
    EXPECT_FALSE(breaker_.may_try(now_));
    now_ += 1ms;
    ASSERT_TRUE(breaker_.may_try(now_));
    fail(1);
  }
  now_ += 120s;
  ASSERT_TRUE(breaker_.may_try(now_));
  breaker_.note(OutcomeKind::Limited, now_);  // it answers: no trouble of the place
  fail(5);
  now_ += 15s;
  EXPECT_TRUE(breaker_.may_try(now_)) << "a new beginning";
}

TEST_F(BreakerTest, AProbeWhoseClientLeftMayBeTakenByAnother) {
  fail(5);
  now_ += 15s;
  ASSERT_TRUE(breaker_.may_try(now_));
  breaker_.note(OutcomeKind::Gone, now_);
  EXPECT_TRUE(breaker_.may_try(now_));
}

TEST_F(BreakerTest, AProbeThatIsNeverNotedDoesNotKeepThePlaceShut) {
  fail(5);
  now_ += 15s;
  ASSERT_TRUE(breaker_.may_try(now_));
  now_ += 120s;
  EXPECT_TRUE(breaker_.may_try(now_));
}

TEST_F(BreakerTest, AFailureOfAnAttemptBegunBeforeItOpenedDoesNotLengthenIt) {
  fail(5);
  now_ += 10s;
  fail(20);
  now_ += 5s;
  EXPECT_TRUE(breaker_.may_try(now_));
}

}  // namespace
}  // namespace limner::router
