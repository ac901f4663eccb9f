#include "engine/preview_steps.hpp"

#include <gmock/gmock.h>

namespace limner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PreviewSteps, AreSpreadEvenly) {
  EXPECT_THAT(preview_steps(1, 20), ElementsAre(10));
  EXPECT_THAT(preview_steps(2, 20), ElementsAre(6, 13));
  EXPECT_THAT(preview_steps(3, 20), ElementsAre(5, 10, 15));
}

TEST(PreviewSteps, AreFewerWhenThereAreFewSteps) {
  EXPECT_THAT(preview_steps(3, 3), ElementsAre(1, 2));
  EXPECT_THAT(preview_steps(3, 2), ElementsAre(1));
  EXPECT_THAT(preview_steps(3, 1), IsEmpty());
  EXPECT_THAT(preview_steps(2, 0), IsEmpty());
}

TEST(PreviewSteps, AreNoneWhenNoneAreWanted) {
  EXPECT_THAT(preview_steps(0, 20), IsEmpty());
}

}  // namespace
}  // namespace limner::engine
