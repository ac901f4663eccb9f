#include "engine/batcher.hpp"

#include <gmock/gmock.h>

namespace limner::engine {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

Group group_of(int side) {
  return {.model = "m", .key = {.latent_height = side, .latent_width = side}};
}

struct Spec {
  int id = 0;
  int side = 64;
  int rows = 2;
  int rows_max = 4;
  int since_s = 0;
  int work_s = 10;
};

Waiting waiting(const Spec& spec) {
  return {.id = RequestId{static_cast<std::uint64_t>(spec.id)},
          .group = group_of(spec.side),
          .rows = spec.rows,
          .rows_max = spec.rows_max,
          .since = TimePoint{} + seconds{spec.since_s},
          .work = seconds{spec.work_s}};
}

Active active(const Spec& spec, int ticks_idle = 0) {
  return {.request = waiting(spec), .ticks_idle = ticks_idle};
}

std::vector<int> ids(const std::vector<RequestId>& from) {
  std::vector<int> numbers;
  for (const RequestId id : from) numbers.push_back(static_cast<int>(id));
  return numbers;
}

TEST(Batcher, PlansNothingWhenNothingWaitsOrRuns) {
  const auto plan = plan_batch({}, {}, {}, {});
  EXPECT_THAT(plan.admit, IsEmpty());
  EXPECT_THAT(plan.step, IsEmpty());
}

TEST(Batcher, FillsTheRowBudgetInOrderOfArrival) {
  const std::vector w{waiting({.id = 1, .since_s = 2}), waiting({.id = 2, .since_s = 1}),
                      waiting({.id = 3, .since_s = 3})};
  const auto plan = plan_batch(w, {}, {}, {});
  EXPECT_THAT(ids(plan.admit), ElementsAre(2, 1));
  EXPECT_THAT(ids(plan.step), ElementsAre(2, 1));
}

TEST(Batcher, SkipsARequestThatDoesNotFitAndServesTheNext) {
  const std::vector w{waiting({.id = 1, .rows = 2, .since_s = 0}),
                      waiting({.id = 2, .rows = 4, .since_s = 1}),
                      waiting({.id = 3, .rows = 2, .since_s = 2})};
  EXPECT_THAT(ids(plan_batch(w, {}, {}, {}).step), ElementsAre(1, 3));
}

TEST(Batcher, LetsARequestLargerThanTheBudgetGoAlone) {
  const std::vector w{waiting({.id = 1, .rows = 20, .since_s = 0}),
                      waiting({.id = 2, .rows = 1, .since_s = 1})};
  EXPECT_THAT(ids(plan_batch(w, {}, {}, {}).step), ElementsAre(1));
}

TEST(Batcher, NeverMixesGroupsInOneCall) {
  const std::vector w{waiting({.id = 1, .side = 64, .rows = 1}),
                      waiting({.id = 2, .side = 96, .rows = 1}),
                      waiting({.id = 3, .side = 64, .rows = 1})};
  EXPECT_THAT(ids(plan_batch(w, {}, {}, {}).step), ElementsAre(1, 3));
}

TEST(Batcher, AdmitsAWaitingRequestIntoTheRoomLeftByARunningOne) {
  const std::vector a{active({.id = 1, .rows = 2})};
  const std::vector w{waiting({.id = 2, .rows = 2, .since_s = 5})};
  const auto plan = plan_batch(w, a, {}, {});
  EXPECT_THAT(ids(plan.admit), ElementsAre(2));
  EXPECT_THAT(ids(plan.step), ElementsAre(1, 2));
}

TEST(Batcher, LetsAShortRequestPassALongOne) {
  const std::vector a{active({.id = 1, .rows = 4, .since_s = 0, .work_s = 100})};
  const std::vector w{waiting({.id = 2, .rows = 4, .since_s = 20, .work_s = 5})};
  const auto plan = plan_batch(w, a, {}, {});
  EXPECT_THAT(ids(plan.admit), ElementsAre(2));
  EXPECT_THAT(ids(plan.step), ElementsAre(2));
}

TEST(Batcher, LetsNobodyPassARequestThatHasWaitedTwiceItsOwnLength) {
  const std::vector a{active({.id = 1, .rows = 4, .since_s = 0, .work_s = 100})};
  const std::vector w{waiting({.id = 2, .rows = 4, .since_s = 195, .work_s = 5})};
  EXPECT_THAT(ids(plan_batch(w, a, {}, {}).step), ElementsAre(1));
}

TEST(Batcher, GivesAPausedRequestTheNextTurnOfItsGroup) {
  const std::vector a{active({.id = 1, .rows = 4, .since_s = 0, .work_s = 100}, 16),
                      active({.id = 2, .rows = 4, .since_s = 20, .work_s = 5})};
  EXPECT_THAT(ids(plan_batch({}, a, {}, {}).step), ElementsAre(1));
}

TEST(Batcher, GivesTheTurnToTheGroupThatHasUsedLeast) {
  const std::vector a{active({.id = 1, .side = 64}), active({.id = 2, .side = 96})};
  const std::vector<GroupTurn> turns{{group_of(64), seconds{5}, 1}, {group_of(96), seconds{9}, 2}};
  EXPECT_THAT(ids(plan_batch({}, a, turns, {}).step), ElementsAre(1));
}

TEST(Batcher, ServesAGroupPassedOverTooOftenHoweverMuchItUsed) {
  const std::vector a{active({.id = 1, .side = 64}), active({.id = 2, .side = 96})};
  const std::vector<GroupTurn> turns{{group_of(64), seconds{5}, 0}, {group_of(96), seconds{9}, 6}};
  EXPECT_THAT(ids(plan_batch({}, a, turns, {.turn_ticks_max = 8}).step), ElementsAre(2));
}

TEST(Batcher, AdmitsNobodyBeyondTheActiveLimit) {
  const std::vector a{active({.id = 1, .rows = 1}), active({.id = 2, .rows = 1})};
  const std::vector w{waiting({.id = 3, .rows = 1}), waiting({.id = 4, .side = 96, .rows = 1})};
  const auto plan = plan_batch(w, a, {}, {.active_max = 2, .active_reserved = 0});
  EXPECT_THAT(plan.admit, IsEmpty());
  EXPECT_THAT(ids(plan.step), ElementsAre(1, 2));
}

TEST(Batcher, KeepsPlacesForGroupsThatHaveNothingActive) {
  const BatchLimits limits{.active_max = 2, .active_reserved = 1};
  const std::vector a{active({.id = 1, .rows = 1})};
  const std::vector same{waiting({.id = 2, .rows = 1})};
  EXPECT_THAT(plan_batch(same, a, {}, limits).admit, IsEmpty());

  const std::vector<GroupTurn> turns{{group_of(64), seconds{5}, 0}, {group_of(96), seconds{0}, 0}};
  const std::vector other{waiting({.id = 3, .side = 96, .rows = 1})};
  EXPECT_THAT(ids(plan_batch(other, a, turns, limits).admit), ElementsAre(3));
}

TEST(Batcher, AdmitsOnlyAFewAtOnce) {
  std::vector<Waiting> w;
  for (int i = 1; i <= 10; ++i) w.push_back(waiting({.id = i, .rows = 1, .rows_max = 16}));
  const auto plan = plan_batch(w, {}, {}, {.admissions_per_tick_max = 4});
  EXPECT_THAT(ids(plan.admit), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace limner::engine
