#include "base/text.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace limner {
namespace {

TEST(Text, IsTrimmedOfWhatTheCallerCallsBlank) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim("\na\n"), "\na\n");
  EXPECT_EQ(trim("\na\n", " \n"), "a");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, IsComparedWithoutCaseInAsciiAlone) {
  EXPECT_EQ(ascii_lower(std::string_view("AzÄ@[")), "azÄ@[");
  EXPECT_TRUE(equals_ignoring_case("Wait", "wAIT"));
  EXPECT_FALSE(equals_ignoring_case("wait", "waits"));
  EXPECT_FALSE(equals_ignoring_case("Ä", "ä"));
  EXPECT_TRUE(starts_with_ignoring_case("DATA:x", "data:"));
  EXPECT_FALSE(starts_with_ignoring_case("dat", "data:"));
}

TEST(Text, LosesOneByteOrderMark) {
  EXPECT_EQ(without_byte_order_mark("\xEF\xBB\xBF{}"), "{}");
  EXPECT_EQ(without_byte_order_mark("{}"), "{}");
  EXPECT_EQ(without_byte_order_mark("\xEF\xBB"), "\xEF\xBB");
}

TEST(Text, IsANumberAsAWholeOrNotAtAll) {
  EXPECT_EQ(parse_number<int>("-12"), -12);
  EXPECT_EQ(parse_number<double>("0.5"), 0.5);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), 18446744073709551615U);
  for (const auto* bad : {"", " 1", "1 ", "+1", "1x", "0x2", "99999999999", "one"}) {
    EXPECT_FALSE(parse_number<int>(bad)) << bad;
  }
  EXPECT_FALSE(parse_number<std::uint64_t>("-1"));
}

}  // namespace
}  // namespace limner
