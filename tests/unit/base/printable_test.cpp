#include "base/printable.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace limner {
namespace {

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

TEST(Printable, MendedTextIsUtf8) {
  EXPECT_EQ(to_valid_utf8("a\xff\xc3\xa9"), "a\uFFFD\xc3\xa9");
  EXPECT_EQ(to_valid_utf8("\xe2\x82z\xc3"), "\uFFFDz\uFFFD");
  EXPECT_TRUE(is_valid_utf8(to_valid_utf8("\xed\xa0\x80\xf5\xc0\xaf")));
}

}  // namespace
}  // namespace limner
