#include "api/blocklist.hpp"

#include <gmock/gmock.h>

namespace limner::api {
namespace {

ImageRequest request_of(std::string prompt, std::string moderation = "auto") {
  ImageRequest request;
  request.prompt.text = std::move(prompt);
  request.moderation = std::move(moderation);
  return request;
}

TEST(Blocklist, WithoutWordsNothingIsRefused) {
  EXPECT_TRUE(Blocklist().check(request_of("a dragon")));
  EXPECT_TRUE(Blocklist::parse("# only a comment\n\n~\n").check(request_of("a dragon")));
}

TEST(Blocklist, FindsWholeWordsWhateverTheirCaseAccentsAndWidth) {
  const auto list = Blocklist::parse("dragon\r\nred Café");
  for (const auto* prompt : {"a dragon", "DRAGON!", "a (dragón)", "ｄｒａｇｏｎ", "dragon",
                             "the red,  CAFE\u0301 there"}) {
    EXPECT_TRUE(list.blocks(prompt, false)) << prompt;
  }
  for (const auto* prompt : {"dragonfly", "a red door of a café", "", "drag on"}) {
    EXPECT_FALSE(list.blocks(prompt, false)) << prompt;
  }
}

TEST(Blocklist, OtherWordsCountFromThenOn) {
  auto list = Blocklist::parse("dragon");
  list.replace(Blocklist::parse("unicorn"));
  EXPECT_TRUE(list.check(request_of("a dragon")));
  EXPECT_FALSE(list.check(request_of("a unicorn")));
  list.replace(Blocklist());
  EXPECT_TRUE(list.check(request_of("a unicorn")));
}

TEST(Blocklist, SoftWordsPassWithLowModeration) {
  const auto list = Blocklist::parse("~sword\ndragon");
  EXPECT_FALSE(list.check(request_of("a sword")));
  EXPECT_TRUE(list.check(request_of("a sword", "low")));
  EXPECT_FALSE(list.check(request_of("a dragon", "low")));
}

TEST(Blocklist, NamesTheFieldAndNotTheWord) {
  auto request = request_of("a cat");
  request.prompt.text_2 = "a dragon";
  const auto checked = Blocklist::parse("dragon").check(request);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, "moderation_blocked");
  EXPECT_EQ(checked.error().param, "prompt_2");
  EXPECT_THAT(checked.error().message, ::testing::Not(::testing::HasSubstr("dragon")));
}

TEST(Blocklist, NegativePromptsAreFree) {
  auto request = request_of("a cat");
  request.prompt.negative = "dragon";
  EXPECT_TRUE(Blocklist::parse("dragon").check(request));
}

}  // namespace
}  // namespace limner::api
