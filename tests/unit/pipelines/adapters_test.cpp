#include "diffusion/pipelines/adapters.hpp"

#include <gmock/gmock.h>

namespace limner::pipelines {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Adapters : public testing::Test {
 protected:
  ModelTraits traits;
  GenerationRequest request;

  Adapters() {
    traits.adapters = {"film", "ink", "style/oil"};
    request.prompt.text = "a cat";
  }
  Result<GenerationRequest> resolved() const { return with_adapters_of_prompt(request, traits); }
};

TEST_F(Adapters, TagsMoveFromThePromptToTheList) {
  request.prompt.text = "a <lora:ink:0.8>cat<lora:style/oil>";
  const auto out = resolved();
  ASSERT_TRUE(out);
  EXPECT_EQ(out->prompt.text, "a cat");
  EXPECT_THAT(out->adapters, ElementsAre(AdapterRef{"ink", 0.8}, AdapterRef{"style/oil", 1}));
}

TEST_F(Adapters, TheOrderOfAskingMakesNoDifference) {
  request.adapters = {{"ink", 0.8}, {"film", 1}};
  const auto first = resolved();
  request.adapters = {{"film", 1}, {"ink", 0.8}};
  EXPECT_EQ(first->adapters, resolved()->adapters);
}

TEST_F(Adapters, ATagIsTheSameAsTheField) {
  request.adapters = {{"ink", 0.8}};
  const auto by_field = resolved();
  request.adapters.clear();
  request.prompt.text += "<lora:ink:0.8>";
  EXPECT_EQ(by_field->adapters, resolved()->adapters);
}

TEST_F(Adapters, OneThatIsNamedTwiceAddsUp) {
  request.adapters = {{"ink", 0.5}};
  request.prompt.text = "a cat<lora:ink:0.25>";
  EXPECT_THAT(resolved()->adapters, ElementsAre(AdapterRef{"ink", 0.75}));
}

TEST_F(Adapters, TextEncodersAddUpOnTheirOwn) {
  request.adapters = {{"ink", 0.5}};
  request.prompt.text = "a cat<lora:ink:0:0.25><lora:film:1:0>";
  const AdapterRef film{.name = "film", .scale = 0, .text_encoder_scale = 1};
  const AdapterRef ink{.name = "ink", .scale = 0.75, .text_encoder_scale = 0.5};
  EXPECT_THAT(resolved()->adapters, ElementsAre(film, ink));
  EXPECT_EQ(strength_text(ink), "0.5:0.75");
  EXPECT_EQ(strength_text({.name = "ink", .scale = 0.8}), "0.8");
}

TEST_F(Adapters, OneWithoutEffectIsLeftOut) {
  request.adapters = {{"ink", 0}, {"film", 1}};
  request.prompt.text = "a cat<lora:film:-1>";
  EXPECT_THAT(resolved()->adapters, IsEmpty());
}

TEST_F(Adapters, AnUnknownOneIsNamedWithTheFieldItStoodIn) {
  request.adapters = {{"pencil", 1}};
  auto refused = resolved();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "unknown_lora");
  EXPECT_EQ(refused.error().param, "loras");
  EXPECT_THAT(refused.error().message, HasSubstr("film, ink, style/oil"));
  request.adapters.clear();
  request.prompt.text = "a cat<lora:pencil:1>";
  refused = resolved();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "prompt");
}

TEST_F(Adapters, StrengthsAreBounded) {
  request.adapters = {{"ink", 6}, {"ink", 6}};
  const auto refused = resolved();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("-10 to 10"));
}

TEST_F(Adapters, AModelWithoutAnyReadsTagsAsText) {
  traits.adapters.clear();
  request.prompt.text = "a cat<lora:ink:0.8>";
  EXPECT_EQ(resolved()->prompt.text, request.prompt.text);
}

}  // namespace
}  // namespace limner::pipelines
