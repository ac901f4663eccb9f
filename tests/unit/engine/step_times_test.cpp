#include "engine/step_times.hpp"

#include <gtest/gtest.h>

namespace limner::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Group group_of(int side, std::string model = "m") {
  return {.model = std::move(model), .key = {.latent_height = side, .latent_width = side}};
}

double in_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

TEST(Average, ReplacesTheFirstValueByTheSecondAndAveragesAfterwards) {
  Average average;
  average.add(30);  // the call that compiled
  EXPECT_DOUBLE_EQ(average.value(), 30);
  average.add(1);
  EXPECT_DOUBLE_EQ(average.value(), 1);
  average.add(2);
  EXPECT_DOUBLE_EQ(average.value(), 1.25);
}

TEST(StepTimes, GuessesOnTheSlowSideBeforeAnythingWasMeasured) {
  const StepTimes times;
  EXPECT_EQ(times.step(group_of(64), 2), seconds{2});
  EXPECT_EQ(times.step(group_of(16), 2), milliseconds{125});
}

TEST(StepTimes, KeepsTimesByRowsSinceABatchIsNotASum) {
  StepTimes times;
  times.record_step(group_of(64), 1, milliseconds{15});
  times.record_step(group_of(64), 8, milliseconds{76});
  EXPECT_EQ(times.step(group_of(64), 1), milliseconds{15});
  EXPECT_EQ(times.step(group_of(64), 8), milliseconds{76});
}

TEST(StepTimes, ScalesAnotherShapeOfTheSameModelByArea) {
  StepTimes times;
  times.record_step(group_of(64), 1, milliseconds{500});
  EXPECT_NEAR(in_seconds(times.step(group_of(32), 1)), 0.125, 1e-6);
  EXPECT_NEAR(in_seconds(times.step(group_of(64, "other"), 1)), 1.0, 1e-6);
}

TEST(StepTimes, AFirstCallThatCompilesCountsNoMoreThanTheGuess) {
  StepTimes times;
  const Group group = group_of(64);
  times.record_step(group, 1, seconds{30});
  EXPECT_EQ(times.step(group, 1), seconds{1});
  times.record_step(group, 1, milliseconds{50});
  EXPECT_EQ(times.step(group, 1), milliseconds{50});
  // Another number of rows is compiled anew, which says nothing of a row.
  times.record_step(group, 2, seconds{30});
  EXPECT_EQ(times.step(group, 1), milliseconds{50});
  EXPECT_EQ(times.step(group, 2), milliseconds{100});
  times.record_decode(group, 1, seconds{30});
  times.record_prepare(group, seconds{30});
  const RequestShape shape{.group = group, .rows = 1, .rows_max = 8, .step_count = 1};
  EXPECT_LT(in_seconds(times.alone(shape)), 0.5);
}

TEST(StepTimes, KnowsWhetherAnythingWasMeasured) {
  StepTimes times;
  EXPECT_FALSE(times.has_measured("m"));
  times.record_prepare(group_of(64), milliseconds{5});
  EXPECT_FALSE(times.has_measured("m"));
  times.record_step(group_of(64), 1, milliseconds{15});
  EXPECT_TRUE(times.has_measured("m"));
  EXPECT_FALSE(times.has_measured("other"));
}

TEST(StepTimes, AddsUpARequest) {
  StepTimes times;
  const Group group = group_of(64);
  times.record_step(group, 2, milliseconds{100});
  times.record_prepare(group, milliseconds{30});
  times.record_decode(group, 1, milliseconds{200});
  const RequestShape shape{.group = group, .rows = 2, .rows_max = 8, .step_count = 10};
  EXPECT_NEAR(in_seconds(times.alone(shape)), 10 * 0.1 + 0.03 + 0.2, 1e-6);
}

TEST(StepTimes, CountsAShareOfABatchAsLessThanARequestAlone) {
  StepTimes times;
  const Group group = group_of(64);
  times.record_step(group, 1, milliseconds{15});
  times.record_step(group, 1, milliseconds{15});
  for (int i = 0; i < 40; ++i) times.record_step(group, 8, milliseconds{76});
  const RequestShape shape{.group = group, .rows = 1, .rows_max = 8, .step_count = 100};
  EXPECT_LT(times.share(shape), times.alone(shape));
}

TEST(StepTimes, DoesNotGrowWithTheSizesClientsAskFor) {
  StepTimes times;
  for (int side = 1; side <= 1000; ++side) times.record_step(group_of(side), 1, milliseconds{1});
  EXPECT_EQ(times.step(group_of(1000), 1), milliseconds{1});
  EXPECT_LE(times.group_count(), 256u);
}

}  // namespace
}  // namespace limner::engine
