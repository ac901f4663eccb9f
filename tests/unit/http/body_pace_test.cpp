#include "http/body_pace.hpp"

#include <gtest/gtest.h>

namespace limner::http {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMiB = 1u << 20;

class BodyPaceTest : public ::testing::Test {
 protected:
  bool is_late(std::size_t size, int at_seconds, bool is_strained = false) {
    return pace_.check(size, is_strained, start_ + seconds(at_seconds)).has_value();
  }
  const TimePoint start_{};
  const Timeouts timeouts_{.body_grace = seconds(20),
                           .body_bytes_per_second_min = 1024,
                           .body = seconds(600),
                           .stall = seconds(60)};
  BodyPace pace_{timeouts_, start_};
};

TEST_F(BodyPaceTest, AGraceAndThenARate) {
  EXPECT_FALSE(is_late(100, 19));
  EXPECT_FALSE(is_late(10 * 1024, 29));
  EXPECT_TRUE(is_late(10 * 1024, 30));
}

TEST_F(BodyPaceTest, SilenceEnds) {
  EXPECT_FALSE(is_late(kMiB, 5));
  EXPECT_FALSE(is_late(kMiB, 64));
  EXPECT_TRUE(is_late(kMiB, 65));
}

TEST_F(BodyPaceTest, WhatABurstEarnedHasAnEnd) {
  for (int at = 0; at < 600; at += 50) {
    EXPECT_FALSE(is_late(64 * kMiB + static_cast<std::size_t>(at), at)) << at;
  }
  EXPECT_TRUE(is_late(64 * kMiB + 600, 600));
}

TEST_F(BodyPaceTest, WhileMemoryIsStrainedALargeBodyKeepsARateAtAllTimes) {
  EXPECT_FALSE(is_late(64 * kMiB, 1, true));
  EXPECT_FALSE(is_late(64 * kMiB, 10, true)) << "it came within these ten seconds";
  EXPECT_TRUE(is_late(64 * kMiB + 10, 20, true));
}

TEST_F(BodyPaceTest, StrainIsNoMatterOfSmallBodiesNorOfQuickOnes) {
  BodyPace small(timeouts_, start_);
  EXPECT_FALSE(small.check(200'000, true, start_ + seconds(1)));
  EXPECT_FALSE(small.check(200'000, true, start_ + seconds(25)));
  std::size_t size = 0;
  for (int at = 0; at <= 100; at += 10) EXPECT_FALSE(is_late(size += 400'000, at, true)) << at;
}

TEST_F(BodyPaceTest, IsCheckedAgainInTime) {
  EXPECT_FALSE(is_late(64 * kMiB, 1));
  EXPECT_EQ(pace_.next_check(), start_ + seconds(10));
}

}  // namespace
}  // namespace limner::http
