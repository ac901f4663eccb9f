#include "diffusion/tokenizers/added_tokens.hpp"

#include <gtest/gtest.h>

namespace limner::tokenizers {
namespace {

// "text|<id>|text" of a split.
std::string shown(const AddedTokens& tokens, std::u32string_view text) {
  std::string out;
  for (const auto& piece : tokens.split(text)) {
    if (!out.empty()) out += '|';
    if (piece.id) {
      out += '<' + std::to_string(*piece.id) + '>';
    } else {
      out.append(piece.text.begin(), piece.text.end());
    }
  }
  return out;
}

TEST(AddedTokens, CutsTheTextAtEachToken) {
  const AddedTokens tokens({{.content = "<a>", .id = 1}, {.content = "!", .id = 2}});
  EXPECT_EQ(shown(tokens, U"x <a>!<a> y!"), "x |<1>|<2>|<1>| y|<2>");
  EXPECT_EQ(shown(tokens, U"none"), "none");
  EXPECT_EQ(shown(tokens, U""), "");
  EXPECT_EQ(shown(AddedTokens(), U"<a>"), "<a>");
}

TEST(AddedTokens, PrefersTheLongerOfTwoThatBeginTogether) {
  const AddedTokens tokens({{.content = "ab", .id = 1}, {.content = "abc", .id = 2}});
  EXPECT_EQ(shown(tokens, U"ababc"), "<1>|<2>");
}

TEST(AddedTokens, TakesWhiteSpaceAlongWhereToldTo) {
  const AddedTokens left({{.content = "<x>", .id = 1, .strips_left = true}});
  const AddedTokens right({{.content = "<x>", .id = 1, .strips_right = true}});
  EXPECT_EQ(shown(left, U"a  <x>  b"), "a|<1>|  b");
  EXPECT_EQ(shown(right, U"a  <x>  b"), "a  |<1>|b");
}

TEST(AddedTokens, ASingleWordIsNotFoundInsideAnother) {
  const AddedTokens tokens({{.content = "cat", .id = 1, .is_single_word = true}});
  EXPECT_EQ(shown(tokens, U"cat concat cats (cat)"), "<1>| concat cats (|<1>|)");
}

}  // namespace
}  // namespace limner::tokenizers
