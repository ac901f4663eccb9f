#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace limner {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(Utf8, AcceptsEveryLengthAtItsEdges) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("\0a\x7f"sv));
  EXPECT_TRUE(is_valid_utf8("\xC2\x80\xDF\xBF"));
  EXPECT_TRUE(is_valid_utf8("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"));
  EXPECT_TRUE(is_valid_utf8("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndWhatIsBeyondOrCutOff) {
  for (const auto text :
       {"\x80"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv, "\xED\xBF\xBF"sv,
        "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv, "\xC2"sv,
        "\xE2\x82"sv, "\xF0\x9F\x98"sv, "\xC2z"sv}) {
    EXPECT_FALSE(is_valid_utf8("a"s.append(text))) << ::testing::PrintToString(text);
  }
}

TEST(Utf8, EveryCodePointComesBackAsItWasWritten) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;
    std::string text;
    append_utf8(c, text);
    const auto size = text.size();
    const CodePoint read = decode_code_point(text.append("\x80"));
    ASSERT_TRUE(read.is_valid) << std::hex << static_cast<std::uint32_t>(c);
    ASSERT_EQ(read.value, c);
    ASSERT_EQ(read.size_bytes, size);
  }
}

TEST(Utf8, ABrokenSequenceEndsBeforeTheByteThatCouldNotFollow) {
  const auto size_of = [](std::string_view text) {
    const CodePoint first = decode_code_point(text);
    EXPECT_FALSE(first.is_valid);
    EXPECT_EQ(first.value, kReplacementCharacter);
    return first.size_bytes;
  };
  EXPECT_EQ(size_of("\xE2\x82z"), 2U);
  EXPECT_EQ(size_of("\xF0\x9F\x98"), 3U);
  EXPECT_EQ(size_of("\xED\xA0\x80"), 1U);
  EXPECT_EQ(size_of("\xC0\xAF"), 1U);
}

TEST(Utf8, BrokenSequencesAreReplaced) {
  EXPECT_EQ(to_valid_utf8("a\xff\xc3\xa9"), "a\uFFFD\xc3\xa9");
  EXPECT_EQ(to_valid_utf8("\xE2\x82z"), "\uFFFDz");
  EXPECT_EQ(to_valid_utf8("whole"), "whole");
}

}  // namespace
}  // namespace limner
