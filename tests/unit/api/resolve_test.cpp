#include "api/resolve.hpp"

#include <gmock/gmock.h>

#include "api/usage.hpp"

namespace limner::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ResolveTest : public ::testing::Test {
 protected:
  ResolveTest() {
    traits.name = "m";
    traits.tasks = {Task::TextToImage, Task::ImageToImage, Task::Inpaint};
    traits.schedulers = {SchedulerKind::Pndm};
    request.prompt.text = "a cat";
  }
  Result<Resolved> resolved(bool is_strict = false) const {
    return resolve({.request = request,
                    .traits = traits,
                    .policy = policy,
                    .first_image = first_image,
                    .is_strict = is_strict});
  }
  // The fields that are said to have had no effect, or to have been changed.
  std::vector<std::string> noted() const {
    const auto made = resolved();
    if (!made) return {made.error().message};
    std::vector<std::string> names;
    for (const auto& note : made->notes) names.push_back(note.substr(0, note.find(':')));
    return names;
  }
  std::string refused() const {
    const auto made = resolved(true);
    return made ? "nothing" : made.error().param;
  }

  ModelTraits traits;
  ModelPolicy policy;
  ImageRequest request;
  std::optional<ImageSize> first_image;
};

TEST_F(ResolveTest, WhatWorksIsNotNoted) {
  request.style = "vivid";
  request.prompt.negative = "blurry";
  request.quality = Quality::High;
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_EQ(refused(), "nothing");
}

TEST_F(ResolveTest, StyleIsIdleWithoutGuidanceToChange) {
  request.style = "natural";
  traits.uses_guidance = false;
  EXPECT_THAT(noted(), ElementsAre("style"));
  EXPECT_EQ(refused(), "style");
  traits.uses_guidance = true;
  traits.defaults.guidance_scale = 1;
  EXPECT_THAT(noted(), ElementsAre("style"));
  EXPECT_EQ(resolved()->generation.sampling.guidance_scale, 1.0);
  traits.defaults.guidance_scale = 7.5;
  request.guidance_scale = 5;
  EXPECT_THAT(noted(), ElementsAre("style"));
}

TEST_F(ResolveTest, TextsForEncodersThatAreNotThereAreNoted) {
  request.prompt.text_2 = "b";
  request.prompt.negative_2 = "c";
  request.prompt.negative_3 = "d";
  EXPECT_THAT(noted(), ElementsAre("prompt_2", "negative_prompt_2", "negative_prompt_3"));
  traits.text_encoder_count = 3;
  EXPECT_THAT(noted(), IsEmpty());
  traits.uses_negative_prompt = false;
  EXPECT_THAT(noted(), ElementsAre("negative_prompt_2", "negative_prompt_3"));
}

TEST_F(ResolveTest, WhatTheReaderFoundIdleIsNotedOrRefused) {
  request.idle.push_back({"partial_images", "only a stream has previews"});
  EXPECT_THAT(resolved()->notes,
              ElementsAre("partial_images: no effect, only a stream has previews"));
  EXPECT_EQ(refused(), "partial_images");
}

TEST_F(ResolveTest, FidelityAndQualityAreNotedBesideTheNumbersTheyStandFor) {
  request.images.resize(1);
  request.has_high_input_fidelity = true;
  request.strength = 0.3;
  request.quality = Quality::High;
  request.num_inference_steps = 7;
  first_image = ImageSize{512, 512};
  EXPECT_THAT(noted(), ElementsAre("quality", "input_fidelity"));
}

TEST_F(ResolveTest, ARoundedSizeOfThePictureIsNoted) {
  request.images.resize(1);
  first_image = ImageSize{301, 200};
  EXPECT_THAT(resolved()->notes, ElementsAre(HasSubstr("301x200, 304x200")));
  first_image = ImageSize{304, 200};
  EXPECT_THAT(noted(), IsEmpty());
}

TEST_F(ResolveTest, EveryQualityIsAnsweredAsItsOwn) {
  const std::vector<std::pair<std::string_view, std::string_view>> words = {
      {"auto", "medium"}, {"standard", "medium"}, {"medium", "medium"}, {"low", "low"},
      {"high", "high"},   {"hd", "high"},         {"xhigh", "xhigh"},   {"max", "max"}};
  EXPECT_EQ(words.size(), quality_words().size());
  for (const auto& [word, answer] : words) {
    EXPECT_THAT(quality_words(), ::testing::Contains(word));
    request.quality = parse_quality(word);
    EXPECT_EQ(to_string(resolved()->quality), answer) << word;
  }
  EXPECT_EQ(parse_quality("best"), std::nullopt);
}

TEST_F(ResolveTest, ABetterQualityTakesMoreStepsAndMoreTokens) {
  int steps = 0;
  std::int64_t tokens = 0;
  for (const auto quality :
       {Quality::Low, Quality::Medium, Quality::High, Quality::XHigh, Quality::Max}) {
    request.quality = quality;
    const int now = *resolved()->generation.sampling.num_inference_steps;
    const auto tokens_now = output_image_tokens({1024, 1024}, quality);
    EXPECT_GT(now, steps);
    EXPECT_GT(tokens_now, tokens);
    steps = now;
    tokens = tokens_now;
  }
  EXPECT_EQ(output_image_tokens({1024, 1024}, Quality::High), 4160);
  EXPECT_EQ(output_image_tokens({1024, 1024}, Quality::XHigh), 7482);
  EXPECT_EQ(tokens, 16'512);
}

}  // namespace
}  // namespace limner::api
