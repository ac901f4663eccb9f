#include "api/field_reader.hpp"

#include <array>

#include <gmock/gmock.h>

namespace limner::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

FieldReader json_fields(std::string_view body) {
  auto reader = FieldReader::from_json(body);
  EXPECT_TRUE(reader) << (reader ? "" : reader.error().message);
  return *std::move(reader);
}

FieldReader text_fields(json::object fields) {
  return FieldReader(std::move(fields), FieldReader::Source::Text);
}

std::string code_of(const FieldReader& fields) {
  return fields.error() ? fields.error()->code : "none";
}

constexpr IntRange kCount{1, 10};
constexpr NumberRange kScale{0, 50};
constexpr std::array<std::string_view, 2> kFormats = {"url", "b64_json"};

TEST(FieldReader, NullAndMissingAreAbsent) {
  auto fields = json_fields(R"({"n": null, "prompt": null})");
  EXPECT_EQ(fields.integer({"n"}, kCount), std::nullopt);
  EXPECT_EQ(fields.text({"prompt"}, 9), std::nullopt);
  EXPECT_EQ(fields.boolean({"stream"}), std::nullopt);
  EXPECT_FALSE(fields.error());
}

TEST(FieldReader, AnEmptyTextIsAbsentAndNoNumber) {
  auto fields = json_fields(R"({"user": "", "format": "", "size": "", "n": ""})");
  EXPECT_EQ(fields.text({"user"}, 9), std::nullopt);
  EXPECT_EQ(fields.choice({"format"}, kFormats), std::nullopt);
  EXPECT_EQ(fields.raw({"size"}), nullptr);
  EXPECT_FALSE(fields.has("size"));
  EXPECT_FALSE(fields.error());
  EXPECT_EQ(fields.integer({"n"}, kCount), std::nullopt);
  EXPECT_EQ(code_of(fields), "invalid_type");
}

TEST(FieldReader, AWholeNumberIsANumberAndAFloatWithoutFractionAnInteger) {
  auto fields = json_fields(R"({"guidance_scale": 7, "n": 4.0, "m": 4e0})");
  EXPECT_EQ(fields.number({"guidance_scale"}, kScale), 7.0);
  EXPECT_EQ(fields.integer({"n"}, kCount), 4);
  EXPECT_EQ(fields.integer({"m"}, kCount), 4);
  EXPECT_FALSE(fields.error());
}

TEST(FieldReader, DigitsInAStringAreANumberOnlyInAForm) {
  auto from_json = json_fields(R"({"n": "4"})");
  EXPECT_EQ(from_json.integer({"n"}, kCount), std::nullopt);
  EXPECT_EQ(code_of(from_json), "invalid_type");

  auto from_form = text_fields({{"n", "4"}, {"scale", "2.5"}, {"stream", "true"}, {"user", ""}});
  EXPECT_EQ(from_form.integer({"n"}, kCount), 4);
  EXPECT_EQ(from_form.number({"scale"}, kScale), 2.5);
  EXPECT_EQ(from_form.boolean({"stream"}), true);
  EXPECT_EQ(from_form.text({"user"}, 9), std::nullopt);
  EXPECT_FALSE(from_form.error());
}

TEST(FieldReader, ErrorsNameTheFieldWhatCameAndWhatIsAllowed) {
  auto fields = json_fields(R"({"n": 11})");
  fields.integer({"n"}, kCount);
  ASSERT_TRUE(fields.error());
  EXPECT_EQ(fields.error()->param, "n");
  EXPECT_EQ(fields.error()->message, "n: got 11, expected an integer from 1 to 10");
  EXPECT_EQ(fields.error()->code, "invalid_value");

  auto choice = json_fields(R"({"response_format": "png"})");
  choice.choice({"response_format"}, kFormats);
  ASSERT_TRUE(choice.error());
  EXPECT_EQ(choice.error()->message, "response_format: got \"png\", expected one of url, b64_json");
}

TEST(FieldReader, TheFirstMistakeStays) {
  auto fields = json_fields(R"({"n": true, "size": 3})");
  fields.integer({"n"}, kCount);
  fields.text({"size"}, 9);
  EXPECT_EQ(fields.error()->param, "n");
}

TEST(FieldReader, RefusesWhatIsNoNumber) {
  for (const char* text : {"nan", "inf", "-inf", "1e999", "0x10", " 4", "4 ", "four"}) {
    auto fields = text_fields({{"n", text}, {"scale", text}});
    EXPECT_EQ(fields.number({"scale"}, kScale), std::nullopt) << text;
    EXPECT_TRUE(fields.error()) << text;
  }
  for (const char* body :
       {R"({"n": 1e999})", R"({"n": 1.5})", R"({"n": 1e18})", R"({"n": 18446744073709551615})",
        R"({"n": -9223372036854775808})", R"({"n": [1]})", R"({"n": {"a": 1}})"}) {
    auto fields = json_fields(body);
    EXPECT_EQ(fields.integer({"n"}, kCount), std::nullopt) << body;
    EXPECT_TRUE(fields.error()) << body;
  }
}

TEST(FieldReader, ReadsSeedsOfSixtyFourBits) {
  EXPECT_EQ(json_fields(R"({"seed": 18446744073709551615})").seed({"seed"}), 18446744073709551615u);
  EXPECT_EQ(text_fields({{"seed", "18446744073709551615"}}).seed({"seed"}), 18446744073709551615u);
  auto random = json_fields(R"({"seed": -1})");
  EXPECT_EQ(random.seed({"seed"}), std::nullopt);
  EXPECT_FALSE(random.error());
  auto negative = json_fields(R"({"seed": -2})");
  EXPECT_EQ(negative.seed({"seed"}), std::nullopt);
  EXPECT_TRUE(negative.error());
}

TEST(FieldReader, TwoNamesOfOneFieldMustAgree) {
  auto same = json_fields(R"({"num_inference_steps": 4, "steps": 4.0})");
  EXPECT_EQ(same.integer({"num_inference_steps", "steps"}, kCount), 4);
  EXPECT_FALSE(same.error());
  auto different = json_fields(R"({"num_inference_steps": 4, "steps": 5})");
  different.integer({"num_inference_steps", "steps"}, kCount);
  ASSERT_TRUE(different.error());
  EXPECT_EQ(different.error()->param, "steps");
}

TEST(FieldReader, CountsCharactersNotBytesAndNeverQuotesAText) {
  auto fits = json_fields(R"({"prompt": "äöüß"})");
  EXPECT_EQ(fits.text({"prompt"}, 4), "äöüß");
  auto longer = json_fields(R"({"prompt": "secret"})");
  EXPECT_EQ(longer.text({"prompt"}, 4), std::nullopt);
  ASSERT_TRUE(longer.error());
  EXPECT_EQ(longer.error()->message, "prompt: 6 characters, at most 4 are allowed");
}

TEST(FieldReader, RefusesInvalidUtf8) {
  EXPECT_FALSE(FieldReader::from_json("{\"prompt\": \"\xff\"}"));
  auto form = text_fields({{"prompt", "\xc0\x80"}});
  EXPECT_EQ(form.text({"prompt"}, 99), std::nullopt);
  EXPECT_TRUE(form.error());
}

TEST(FieldReader, RefusesBodiesThatAreNoObject) {
  for (const char* body : {"", "  ", "[]", "3", "{", "{}x", "{\"a\":1,}", "nul"}) {
    const auto reader = FieldReader::from_json(body);
    ASSERT_FALSE(reader) << body;
    EXPECT_EQ(reader.error().code, "invalid_json") << body;
  }
}

TEST(FieldReader, ListsWhatNobodyAskedFor) {
  auto fields = json_fields(R"({"prompt": "x", "zebra": 1, "n": 1})");
  fields.text({"prompt"}, 9);
  fields.integer({"n"}, kCount);
  EXPECT_THAT(fields.unknown(), ElementsAre("zebra"));
}

TEST(Describe, IsShortAndSafe) {
  EXPECT_EQ(describe(json::value("a\"b")), "\"a\\\"b\"");
  EXPECT_EQ(describe(json::value(std::string(500, 'x'))), "a string of 500 characters");
  EXPECT_EQ(describe(json::array{1}), "an array");
}

}  // namespace
}  // namespace limner::api
