#include "base/utf8.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/printable.hpp"

namespace limner {
namespace {

using namespace std::string_literals;

TEST(Utf8, AcceptsEveryLengthAtItsEdges) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("a\x7f"));
  EXPECT_TRUE(is_valid_utf8("\xc2\x80\xdf\xbf"));
  EXPECT_TRUE(is_valid_utf8("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
  EXPECT_TRUE(is_valid_utf8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
  EXPECT_TRUE(is_valid_utf8("\0"s));
}

TEST(Utf8, RefusesWhatIsNoSequence) {
  for (const auto text :
       {"\x80", "\xc1\xbf", "\xc2", "\xc2z", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82z"}) {
    EXPECT_FALSE(is_valid_utf8(text));
    const auto mended = to_valid_utf8(text);
    EXPECT_TRUE(is_valid_utf8(mended));
    EXPECT_NE(mended.find("\uFFFD"), mended.npos);
  }
  EXPECT_EQ(to_valid_utf8("a\xff\xc3\xa9"), "a\uFFFD\xc3\xa9");
}

TEST(Printable, EscapesWhatSteersTerminalsAndWhatIsNotText) {
  EXPECT_EQ(printable("GET", 16), "GET");
  EXPECT_EQ(printable("caf\xc3\xa9", 16), "caf\xc3\xa9");
  EXPECT_EQ(printable("a\x1b[2J\n\x7f\xff", 16), "a\\x1b[2J\\x0a\\x7f\\xff");
  EXPECT_EQ(printable("\xc2\x9b", 16), "\\xc2\\x9b");
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(printable("12345", 5), "12345");
  EXPECT_EQ(printable("123456", 5), "12345…");
  EXPECT_EQ(printable("1234\xc3\xa9z", 5), "1234…");
  EXPECT_LT(printable(std::string(1 << 20, '\x01'), 64).size(), 64u * 4 + 4);
}

}  // namespace
}  // namespace limner
