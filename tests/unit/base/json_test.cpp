#include "base/json.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "support/temp_dir.hpp"

namespace limner {
namespace {

using ::testing::HasSubstr;

TEST(Json, ErrorsSayAtWhichByte) {
  const auto value = parse_json(R"({"a": nope})");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, "invalid_json");
  EXPECT_THAT(value.error().message, HasSubstr("at byte"));
}

TEST(Json, RefusesDepthExtraTextAndBadUtf8) {
  EXPECT_FALSE(parse_json(std::string(40, '[') + std::string(40, ']')));
  EXPECT_FALSE(parse_json("{} {}"));
  EXPECT_FALSE(parse_json("\"\xff\""));
  EXPECT_FALSE(parse_json(""));
  EXPECT_TRUE(parse_json(" {} \n"));
}

TEST(Json, RefusesMoreValuesThanAllowed) {
  EXPECT_FALSE(parse_json("[1,2,3]", {.values_max = 3}));
  EXPECT_TRUE(parse_json("[1,2,3]", {.values_max = 4}));
}

TEST(Json, ReadsNoFurtherThanTheFirstValueBeyondTheLimit) {
  const auto value = parse_json("[1,2,3,4, this is never read", {.values_max = 3});
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().message, HasSubstr("more than 3 values"));
}

TEST(Json, CountsEveryKindOfValueAndNoKeys) {
  const std::string text = R"({"a": [true, null, 1, -2, 18446744073709551615, 0.5, "s"], "b": {}})";
  EXPECT_TRUE(parse_json(text, {.values_max = 10}));
  EXPECT_FALSE(parse_json(text, {.values_max = 9}));
}

TEST(Json, StringsWithEscapesAndKeysAreWhole) {
  const auto value = *parse_json(R"({"k\u00e9y": "a\n\u00e9\ud83d\ude00b", "": ""})");
  EXPECT_EQ(value.at("k\u00e9y").as_string(), "a\n\u00e9\U0001F600b");
  EXPECT_EQ(value.at("").as_string(), "");
}

TEST(Json, AByteOrderMarkInFrontIsSkipped) {
  EXPECT_TRUE(parse_json("\xEF\xBB\xBF{\"a\": 1}"));
  EXPECT_FALSE(parse_json("\xEF\xBB\xBF"));
  EXPECT_FALSE(parse_json("{}\xEF\xBB\xBF"));
}

TEST(Json, GettersTakeNullAsAbsentAndNameWrongTypes) {
  const auto value = *parse_json(R"({"n": null, "i": 4, "f": 4.0, "s": "x", "h": 4.5})");
  const auto& o = value.get_object();
  EXPECT_EQ(*get_int(o, "n", 7, "file"), 7);
  EXPECT_EQ(*get_int(o, "absent", 7, "file"), 7);
  EXPECT_EQ(*get_int(o, "f", 7, "file"), 4);
  EXPECT_EQ(*get_number(o, "i", 0, "file"), 4.0);
  for (const auto* key : {"s", "h"}) {
    const auto wrong = get_int(o, key, 0, "file");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().param, key);
    EXPECT_THAT(wrong.error().message, HasSubstr("file"));
  }
}

TEST(Json, FilesAreNamedInErrors) {
  const TempDir dir;
  EXPECT_THAT(read_json_file(dir / "none.json").error().message, HasSubstr("none.json"));
  ASSERT_TRUE(write_file(dir / "bad.json", "{"));
  EXPECT_THAT(read_json_file(dir / "bad.json").error().message, HasSubstr("bad.json"));
  EXPECT_EQ(read_json_file(dir / "bad.json", 0).error().kind, ErrorKind::TooLarge);
}

TEST(Json, FilesMayBeginWithAByteOrderMark) {
  const TempDir dir;
  ASSERT_TRUE(write_file(dir / "m.json", "\xef\xbb\xbf{\"a\": 1}"));
  const auto value = read_json_file(dir / "m.json");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(value->at("a").as_int64(), 1);
}

TEST(Json, AFileThatIsNoneOfItsKindIsNamedByWhatItIs) {
  const TempDir dir;
  const std::pair<std::string, const char*> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
      {"<!doctype html>", "web page"},
      {std::string("\xff\xfe{\0}\0", 6), "UTF-16"},
  };
  for (const auto& [bytes, says] : cases) {
    ASSERT_TRUE(write_file(dir / "config.json", bytes));
    const auto value = read_json_file(dir / "config.json");
    ASSERT_FALSE(value);
    EXPECT_THAT(value.error().message, HasSubstr(says));
    EXPECT_THAT(value.error().message, HasSubstr("config.json"));
  }
}

TEST(Json, FilesOfPythonMayHaveInfinityAndNaN) {
  const TempDir dir;
  ASSERT_TRUE(
      write_file(dir / "p.json", R"({"low": -Infinity, "no": NaN, "s": "a\"Infinity NaN"})"));
  const auto value = read_json_file(dir / "p.json");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_LT(value->at("low").as_double(), -1e308);
  EXPECT_TRUE(value->at("no").is_null());
  EXPECT_EQ(value->at("s").as_string(), "a\"Infinity NaN");
  EXPECT_FALSE(parse_json("[NaN]"));
}

}  // namespace
}  // namespace limner
