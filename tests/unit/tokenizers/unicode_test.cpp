#include "diffusion/tokenizers/unicode.hpp"

#include <gtest/gtest.h>

namespace limner::tokenizers {
namespace {

std::string nfc(std::string_view text) {
  return encode_utf8(to_nfc(decode_utf8(text)));
}
std::string lower(std::string_view text) {
  return encode_utf8(to_lower(decode_utf8(text)));
}

TEST(Unicode, ComposesAfterReordering) {
  EXPECT_EQ(nfc("e\u0301"), "\u00E9");
  EXPECT_EQ(nfc("a\u0307\u0323"), "\u1EA1\u0307");
  EXPECT_EQ(nfc("\u1112\u1161\u11AB"), "\uD55C");
  EXPECT_EQ(nfc("\u0958"), "\u0915\u093C");  // excluded from composition
  EXPECT_EQ(nfc("\u212B"), "\u00C5");
  EXPECT_EQ(nfc("plain"), "plain");
}

TEST(Unicode, MarksThatTheReferenceDoesNotKnowStayInPlace) {
  EXPECT_EQ(nfc("a\u08CA\u0323"), "a\u08CA\u0323");
  EXPECT_EQ(nfc("a\u0301\u0323"), "\u1EA1\u0301");
}

TEST(Unicode, LowersWithoutLookingAtNeighbours) {
  EXPECT_EQ(lower("ΟΔΥΣΣΕΥΣ"), "οδυσσευσ");  // no final sigma
  EXPECT_EQ(lower("İ"), "i\u0307");
  EXPECT_EQ(lower("ẞ𐐀Ǆ"), "ß𐐨ǆ");
  EXPECT_EQ(lower("\uA7CB"), "\u0264");  // since Unicode 16
}

TEST(Unicode, KnowsLettersNumbersAndSpaces) {
  EXPECT_TRUE(is_letter(U'中') && is_letter(U'ª') && is_letter(0x2EBF0));
  EXPECT_FALSE(is_letter(U'\u0301') || is_letter(U'1') || is_letter(U'_'));
  EXPECT_TRUE(is_number(U'½') && is_number(U'Ⅳ') && is_number(U'٣'));
  EXPECT_TRUE(is_white_space(0x85) && is_white_space(0xA0) && is_white_space(0x3000));
  EXPECT_FALSE(is_white_space(0x200B) || is_white_space(0x180E) || is_white_space(0x1C));
  EXPECT_TRUE(is_word(U'_') && is_word(U'\u0301') && !is_word(U'-'));
}

TEST(Unicode, ReplacesEachMaximalPartOfAMalformedSequence) {
  EXPECT_EQ(decode_utf8("a\xE2\x82z"), U"a\uFFFDz");
  EXPECT_EQ(decode_utf8("\xC0\xAF"), U"\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(decode_utf8("\xF4\x90\x80\x80"), U"\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(decode_utf8("\xF0\x9F\x98\x80"), U"😀");
}

TEST(Unicode, FindsTheEndOfAGrapheme) {
  EXPECT_EQ(grapheme_end(U"e\u0301x", 0), 2u);
  EXPECT_EQ(grapheme_end(U"\r\nx", 0), 2u);
  EXPECT_EQ(grapheme_end(U"👩\u200D💻x", 0), 3u);
  EXPECT_EQ(grapheme_end(U"ab", 1), 2u);
}

}  // namespace
}  // namespace limner::tokenizers
