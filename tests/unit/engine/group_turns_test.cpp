#include "engine/group_turns.hpp"

#include <gmock/gmock.h>

namespace limner::engine {
namespace {

using std::chrono::seconds;

const Group kSmall{.model = "m", .key = {.latent_height = 64}};
const Group kLarge{.model = "m", .key = {.latent_height = 128}};

const GroupTurn& turn_of(const GroupTurns& turns, const Group& group) {
  return *std::ranges::find(turns.view(), group, &GroupTurn::group);
}

TEST(GroupTurns, CountsTimeForTheServedAndTicksForTheOthers) {
  GroupTurns turns;
  turns.sync(std::vector{kSmall, kLarge});
  turns.record(kSmall, seconds{3});
  turns.record(kSmall, seconds{1});
  EXPECT_EQ(turn_of(turns, kSmall).used, seconds{4});
  EXPECT_EQ(turn_of(turns, kSmall).ticks_idle, 0);
  EXPECT_EQ(turn_of(turns, kLarge).ticks_idle, 2);
}

TEST(GroupTurns, StartsANewGroupLevelWithTheLeastServed) {
  GroupTurns turns;
  turns.sync(std::vector{kSmall});
  turns.record(kSmall, seconds{100});
  turns.sync(std::vector{kSmall, kLarge});
  EXPECT_EQ(turn_of(turns, kLarge).used, seconds{100});
}

TEST(GroupTurns, ForgetsAGroupThatIsGone) {
  GroupTurns turns;
  turns.sync(std::vector{kSmall, kLarge});
  turns.sync(std::vector{kLarge});
  ASSERT_EQ(turns.view().size(), 1u);
  EXPECT_EQ(turns.view()[0].group, kLarge);
}

}  // namespace
}  // namespace limner::engine
