#include "diffusion/pipelines/call_sharing.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limner::pipelines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CutCalls, FillsCallsOfEightFourTwoOrOneRows) {
  EXPECT_THAT(cut_calls({}, 8), IsEmpty());
  EXPECT_THAT(cut_calls(std::vector<int>(11, 1), 8), ElementsAre(8, 2, 1));
  EXPECT_THAT(cut_calls(std::vector<int>(7, 2), 8), ElementsAre(4, 2, 1));
  EXPECT_THAT(cut_calls(std::vector<int>(3, 1), 2), ElementsAre(2, 1));
}

TEST(CutCalls, NeverParesAPicture) {
  EXPECT_THAT(cut_calls(std::vector{2, 1, 2, 1, 2}, 8), ElementsAre(5));
  EXPECT_THAT(cut_calls(std::vector{1, 2, 2}, 8), ElementsAre(1, 2));
  EXPECT_THAT(cut_calls(std::vector{2, 2}, 1), ElementsAre(1, 1));
  EXPECT_THAT(cut_calls(std::vector{1, 1}, 1), ElementsAre(1, 1));
}

TEST(CallSharing, KnowsWhatItLearntOfEachKind) {
  CallSharing sharing;
  const CallKind four{.key = {}, .rows = {2, 2}};
  const CallKind mixed{.key = {}, .rows = {1, 2, 1}};
  EXPECT_EQ(sharing.keeps_bits(four), std::nullopt);
  sharing.learn(four, true);
  sharing.learn(mixed, false);
  EXPECT_EQ(sharing.keeps_bits(four), true);
  EXPECT_EQ(sharing.keeps_bits(mixed), false);
}

TEST(CallSharing, RemembersABoundedNumberOfKinds) {
  CallSharing sharing;
  for (int i = 0; i < 1000; ++i) {
    const CallKind kind{.key = {.latent_height = i}, .rows = {1, 1}};
    sharing.learn(kind, true);
    EXPECT_EQ(sharing.keeps_bits(kind), true);
  }
  EXPECT_EQ(sharing.keeps_bits({.key = {.latent_height = 0}, .rows = {1, 1}}), std::nullopt);
}

}  // namespace
}  // namespace limner::pipelines
