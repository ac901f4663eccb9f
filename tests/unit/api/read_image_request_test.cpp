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
      {R"({"prompt": "x", "size": "512 by 512"})", "size", "invalid_value"},
      {R"({"prompt": "x", "size": "256x256", "width": 512})", "size", "invalid_value"},
      {R"({"prompt": "x", "output_format": "gif"})", "output_format", "unsupported_for_model"},
      {R"({"prompt": "x", "output_format": "bmp"})", "output_format", "invalid_value"},
      {R"({"prompt": "x", "output_compression": 50})", "output_compression", "invalid_value"},
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

std::vector<std::string> idle_of(std::string_view body, Dialect dialect = Dialect::Bifrost,
                                 Operation operation = Operation::Generation) {
  const auto request = read(body, dialect, operation);
  if (!request) return {request.error().message};
  std::vector<std::string> names;
  for (const auto& idle : request->idle) names.push_back(idle.field);
  return names;
}

TEST(ReadImageRequest, WhatWillChangeNothingIsRemembered) {
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  EXPECT_THAT(idle_of(R"({"prompt": "x", "foo": 1, "bar": {}})"), ElementsAre("foo", "bar"));
  EXPECT_THAT(idle_of(R"({"prompt": "x", "partial_images": 2})"), ElementsAre("partial_images"));
  EXPECT_THAT(idle_of(R"({"prompt": "x", "partial_images": 2})", Dialect::Ovms),
              ElementsAre("partial_images"));
  EXPECT_THAT(idle_of(R"({"prompt": "x", "partial_images": 2, "stream": true})"), IsEmpty());
  EXPECT_THAT(idle_of(R"({"prompt": "x", "input_fidelity": "high", "complexity": "low"})"),
              ElementsAre("input_fidelity", "complexity"));
  EXPECT_THAT(idle_of(R"({"prompt": "x", "image": "abcd", "input_fidelity": "high"})",
                      Dialect::Bifrost, Operation::Edit),
              IsEmpty());
  EXPECT_THAT(idle_of(R"({"prompt": "x", "stream": true, "response_format": "url"})"),
              ElementsAre("response_format"));
  std::string many = R"({"prompt": "x")";
  for (int i = 0; i < 50; ++i) many += fmt::format(R"(, "f{}": 1)", i);
  EXPECT_EQ(idle_of(many + "}").size(), 9U);
  EXPECT_EQ(idle_of(many + "}").back(), "42 more fields");
}

TEST(ReadImageRequest, AnEmptyChoiceIsAbsent) {
  for (const auto* field : {"size",
                            "quality",
                            "style",
                            "response_format",
                            "background",
                            "moderation",
                            "output_format",
                            "scheduler",
                            "type",
                            "input_fidelity",
                            "aspect_ratio",
                            "safety_identifier",
                            "user",
                            "model",
                            "mask",
                            "image",
                            "images",
                            "fallbacks",
                            "loras",
                            "lora_alphas",
                            "negative_prompt",
                            "prompt_2",
                            "complexity"}) {
    const auto request = read(fmt::format(R"({{"prompt": "x", "{}": ""}})", field));
    EXPECT_TRUE(request) << field << ": " << request.error().message;
    if (request) EXPECT_TRUE(request->idle.empty()) << field;
  }
}

TEST(ReadImageRequest, GptImageNamesAreAnsweredWithoutAnAddress) {
  const auto format_of = [](std::string_view model, std::string_view rest = "",
                            std::string path = {}) {
    auto fields =
        FieldReader::from_json(fmt::format(R"({{"prompt": "x", "model": "{}"{}}})", model, rest));
    const auto request = read_image_request(
        *fields, {},
        {.dialect = Dialect::OpenAi, .model_of_path = std::move(path), .limits = &kLimits});
    return request->response_format;
  };
  for (const auto* name : {"gpt-image-1", "gpt-image-2-2026-04-21", "chatgpt-image-latest",
                           "openai/gpt-image-1", "openrouter/openai/gpt-image-2"}) {
    EXPECT_EQ(format_of(name), ResponseFormat::Base64) << name;
    EXPECT_EQ(format_of(name, R"(, "response_format": "")"), ResponseFormat::Base64) << name;
    EXPECT_EQ(format_of(name, R"(, "response_format": "url")"), ResponseFormat::Url) << name;
    EXPECT_EQ(format_of("mine", "", name), ResponseFormat::Base64) << name;
  }
  for (const auto* name : {"", "dall-e-3", "openai/dall-e-2", "emoji-256", "my/gpt-image-1"}) {
    EXPECT_EQ(format_of(name), ResponseFormat::Both) << name;
  }
}

TEST(ReadImageRequest, TheEffectiveSafetyIdentifierIsTheFirstThatIsNotEmpty) {
  EXPECT_EQ(read(R"({"prompt": "x", "user": "u", "safety_identifier": "s"})")->user, "s");
  EXPECT_EQ(read(R"({"prompt": "x", "user": "u", "safety_identifier": ""})")->user, "u");
  EXPECT_EQ(read(R"({"prompt": "x"})")->user, "");
}

TEST(ReadImageRequest, OnlyDallE2AndTheTypesOfPartsRepaintAHole) {
  const auto repaints = [](std::string_view fields, Operation operation = Operation::Edit) {
    const auto body = fmt::format(R"({{"prompt": "x", "image": "abcd", {}}})", fields);
    return read(body, Dialect::Bifrost, operation)->repaints_hole;
  };
  EXPECT_TRUE(repaints(R"("model": "dall-e-2")"));
  EXPECT_TRUE(repaints(R"("model": "openai/dall-e-2")"));
  EXPECT_TRUE(repaints(R"("type": "inpainting")"));
  EXPECT_TRUE(repaints(R"("type": "outpainting", "model": "gpt-image-1")"));
  EXPECT_FALSE(repaints(R"("model": "gpt-image-1")"));
  EXPECT_FALSE(repaints(R"("model": "dall-e-2")", Operation::Variation));
}

TEST(ReadImageRequest, PicturesComeUnderEveryNameAndMasksOnlyOnce) {
  const auto read_edit = [](std::string_view fields) {
    return read(fmt::format(R"({{"prompt": "x", {}}})", fields), Dialect::Bifrost, Operation::Edit);
  };
  for (const auto* name :
       {"image", "images", "input_image", "input_images", "url", "reference_image"}) {
    const auto request = read_edit(fmt::format(R"("{}": ["abcd", ""])", name));
    ASSERT_TRUE(request) << name;
    ASSERT_EQ(request->images.size(), 1U) << name;
    EXPECT_EQ(request->images[0].field, name);
  }
  EXPECT_EQ(read_edit(R"("images": [""])").error().param, "image");
  EXPECT_TRUE(read_edit(R"("image": "abcd", "mask_image": "abcd", "mask": "")")->mask);
  EXPECT_EQ(read_edit(R"("image": "a", "mask_image": "a", "mask": "a")").error().param, "mask");
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
