#include "api/read_image_request.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace limner::api {
namespace {

using ::testing::HasSubstr;

constexpr Limits kLimits;

Result<ImageRequest> read(std::string_view body, Dialect dialect = Dialect::Bifrost,
                          Operation operation = Operation::Generation) {
  auto fields = FieldReader::from_json(body);
  if (!fields) return fields.error();
  return read_image_request(*fields, {},
                            {.dialect = dialect,
                             .operation = operation,
                             .is_strict = false,
                             .model_of_path = {},
                             .limits = &kLimits});
}

struct BadRequest {
  std::string_view body;
  std::string_view param;
  std::string_view code;
};

TEST(ReadImageRequest, WhatIsWrongIsNamed) {
  const BadRequest cases[] = {
      {R"({})", "prompt", "missing_required_parameter"},
      {R"({"prompt": 5})", "prompt", "invalid_type"},
      {R"({"prompt": "x", "n": 0})", "n", "invalid_value"},
      {R"({"prompt": "x", "n": 1, "num_images_per_prompt": 2})", "num_images_per_prompt",
       "invalid_value"},
      {R"({"prompt": "x", "num_inference_steps": 0})", "num_inference_steps", "invalid_value"},
      {R"({"prompt": "x", "guidance_scale": 1e999})", "guidance_scale", "invalid_value"},
      {R"({"prompt": "x", "size": "512 x 512"})", "size", "invalid_value"},
      {R"({"prompt": "x", "size": "256x256", "width": 512})", "size", "invalid_value"},
      {R"({"prompt": "x", "output_format": "gif"})", "output_format", "unsupported_for_model"},
      {R"({"prompt": "x", "output_format": "bmp"})", "output_format", "invalid_value"},
      {R"({"prompt": "x", "output_compression": 50})", "output_compression", "invalid_value"},
      {R"({"prompt": "x", "partial_images": 2})", "partial_images", "invalid_value"},
      {R"({"prompt": "x", "background": "transparent", "output_format": "jpeg"})", "output_format",
       "invalid_value"},
      {R"({"prompt": "x", "fallbacks": [5]})", "fallbacks", "invalid_type"},
      {R"({"prompt": "x", "mask": "abcd"})", "image", "missing_required_parameter"},
  };
  for (const auto& bad : cases) {
    const auto request = read(bad.body);
    ASSERT_FALSE(request) << bad.body;
    EXPECT_EQ(request.error().param, bad.param) << bad.body;
    EXPECT_EQ(request.error().code, bad.code) << bad.body;
  }
}

TEST(ReadImageRequest, NumbersInMessagesReadAsTheyWereSent) {
  EXPECT_THAT(read(R"({"prompt": "x", "n": 3.5})").error().message, HasSubstr("got 3.5,"));
}

TEST(ReadImageRequest, BackgroundRemovalRefusesWhatItCannotFollow) {
  constexpr std::string_view kStart = R"({"type": "background_removal", "image": "abcd")";
  EXPECT_TRUE(read(std::string(kStart) + "}", Dialect::Bifrost, Operation::Edit));
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"(, "n": 2})", "n"},
      {R"(, "size": "512x512"})", "size"},
      {R"(, "mask": "abcd"})", "mask"},
      {R"(, "input_image": "abcd"})", "image"},
      {R"(, "background": "opaque"})", "background"},
      {R"(, "output_format": "jpeg"})", "output_format"},
  };
  for (const auto& [rest, param] : cases) {
    const auto request =
        read(std::string(kStart) + std::string(rest), Dialect::Bifrost, Operation::Edit);
    ASSERT_FALSE(request) << rest;
    EXPECT_EQ(request.error().param, param);
  }
}

TEST(ReadImageRequest, OnlyStrictDialectsRefuseUnknownFields) {
  constexpr std::string_view kBody = R"({"prompt": "x", "no_such_field": 1})";
  EXPECT_TRUE(read(kBody, Dialect::Bifrost));
  EXPECT_TRUE(read(kBody, Dialect::OpenAi));
  EXPECT_TRUE(read(kBody, Dialect::Nebula));
  const auto refused = read(kBody, Dialect::Ovms);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "no_such_field");
  EXPECT_EQ(refused.error().code, "unknown_parameter");
}

TEST(ReadImageRequest, ALongUnknownNameIsQuotedInPart) {
  const auto body = R"({"prompt": "x", ")" + std::string(5'000, 'f') + R"(": 1})";
  EXPECT_LT(read(body, Dialect::Ovms).error().message.size(), 200U);
}

TEST(ReadImageRequest, AdaptersComeAsAnObjectAndInFormsAsText) {
  const auto adapters_of = [](FieldReader fields) {
    const auto request = read_image_request(fields, {},
                                            {.dialect = Dialect::Ovms,
                                             .operation = Operation::Generation,
                                             .is_strict = false,
                                             .model_of_path = {},
                                             .limits = &kLimits});
    if (!request) return request.error().param + " " + request.error().code;
    std::string text;
    for (const auto& one : request->adapters) text += fmt::format("{}={} ", one.name, one.scale);
    return text;
  };
  const auto json_fields = [](std::string_view alphas) {
    return *FieldReader::from_json(fmt::format(R"({{"prompt": "x", "lora_alphas": {}}})", alphas));
  };
  const auto form_fields = [](json::value alphas) {
    return FieldReader({{"prompt", "x"}, {"lora_alphas", std::move(alphas)}},
                       FieldReader::Source::Text);
  };
  EXPECT_EQ(adapters_of(json_fields(R"({"ink": 0.5, "b": -1})")), "ink=0.5 b=-1 ");
  EXPECT_EQ(adapters_of(form_fields(R"({"ink": 0.5})")), "ink=0.5 ");
  EXPECT_EQ(adapters_of(form_fields(json::object{{"ink", "0.5"}})), "ink=0.5 ");
  for (const auto* bad : {R"({"ink": "0.5"})", R"({"ink": 1e999})", "[]", "5"}) {
    EXPECT_EQ(adapters_of(json_fields(bad)), "lora_alphas invalid_type") << bad;
  }
  EXPECT_EQ(adapters_of(form_fields("ink")), "lora_alphas invalid_type");
}

}  // namespace
}  // namespace limner::api
