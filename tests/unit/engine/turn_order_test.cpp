#include "engine/turn_order.hpp"

#include <gmock/gmock.h>

namespace limner::engine {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

Turn turn(std::string_view principal, int due_s, std::uint64_t id, int used_s = 0) {
  return {.principal = principal,
          .used = seconds{used_s},
          .due = TimePoint{} + seconds{due_s},
          .work = seconds{1},
          .id = id};
}

TEST(TurnOrder, OfOnePrincipalIsByWhenTheyAreDue) {
  const std::vector turns{turn("a", 3, 1), turn("a", 1, 2), turn("a", 2, 3), turn("a", 2, 4)};
  EXPECT_THAT(turn_order(turns), ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(turn_order({}), IsEmpty());
}

TEST(TurnOrder, GivesEachPrincipalOneBeforeAnySecond) {
  const std::vector turns{turn("flood", 1, 1), turn("flood", 2, 2),  turn("flood", 3, 3),
                          turn("late", 9, 4),  turn("later", 10, 5), turn("late", 11, 6)};
  EXPECT_THAT(turn_order(turns), ElementsAre(0, 3, 4, 1, 5, 2));
}

TEST(TurnOrder, WhoHasHadMoreWaits) {
  const std::vector turns{turn("flood", 1, 1, 7), turn("late", 9, 2, 5), turn("late", 10, 3, 5),
                          turn("late", 11, 4, 5)};
  EXPECT_THAT(turn_order(turns), ElementsAre(1, 2, 0, 3));
}

TEST(PrincipalTurns, ANewcomerNeitherCatchesUpNorHasTo) {
  PrincipalTurns turns;
  const auto sync = [&](std::vector<std::string_view> present) { turns.sync(present); };
  sync({"a", "b"});
  turns.record("a", seconds{5});
  turns.record("b", seconds{3});
  turns.record("nobody", seconds{3});
  sync({"a", "b", "c"});
  EXPECT_EQ(turns.used("c"), seconds{3});
  sync({"a"});
  EXPECT_EQ(turns.used("b"), seconds{5}) << "was away: as a newcomer";
  EXPECT_EQ(turns.all().size(), 1u);
}

}  // namespace
}  // namespace limner::engine
