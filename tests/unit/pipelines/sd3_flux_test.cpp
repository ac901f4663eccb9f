// What SD3's and FLUX's pipelines say about themselves, and what they refuse, at loading and before
// painting. The toys read 512 tokens with T5 at most and 77 with CLIP.
#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "toy_pipelines.hpp"

namespace limner::pipelines {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Flow : public ToyPipelines {
 protected:
  std::unique_ptr<Pipeline> load(const std::string& name) {
    auto pipeline = load_folder(name, toy(name));
    EXPECT_TRUE(pipeline) << name << ": " << pipeline.error().message;
    return pipeline ? *std::move(pipeline) : nullptr;
  }

  // The message with which the toy is refused once one value of one config is changed.
  std::string refusal(const std::string& name, const fs::path& config, std::string_view key,
                      const json::value& value) {
    const auto pipeline = load_changed(name, config, key, value);
    return pipeline ? "loaded" : pipeline.error().message;
  }
};

GenerationRequest asking(std::string prompt) {
  GenerationRequest request;
  request.prompt.text = std::move(prompt);
  request.size = {64, 64};
  request.sampling.guidance_scale = 5;
  return request;
}

std::string words(int count) {
  std::string text = "a";
  for (int i = 1; i < count; ++i) text += " a";
  return text;
}

// The field and message of a refusal.
void expect_refused(const Pipeline& pipeline, const GenerationRequest& request,
                    const std::string& field, const std::string& message = "") {
  const auto effective = pipeline.check(request);
  ASSERT_FALSE(effective) << field;
  EXPECT_EQ(effective.error().param, field);
  EXPECT_THAT(effective.error().message, HasSubstr(message));
}

TEST_F(Flow, DefaultsAreTheReferences) {
  const struct {
    const char* name;
    int steps;
    double guidance;
    bool uses_negative;
  } models[] = {{"sd3", 28, 7, true},
                {"sd35", 28, 7, true},
                {"flux-schnell", 4, 0, false},
                {"flux-dev", 28, 3.5, false},
                {"flux-fill", 50, 30, false}};
  for (const auto& model : models) {
    const auto pipeline = load(model.name);
    ASSERT_TRUE(pipeline);
    const auto& traits = pipeline->traits();
    EXPECT_EQ(traits.defaults.num_inference_steps, model.steps) << model.name;
    EXPECT_EQ(traits.defaults.guidance_scale, model.guidance) << model.name;
    EXPECT_EQ(traits.uses_negative_prompt, model.uses_negative) << model.name;
  }
}

TEST_F(Flow, Sd3RefusesPartsThatDoNotFit) {
  EXPECT_THAT(refusal("sd3", "model_index.json", "text_encoder_2", {nullptr, nullptr}),
              HasSubstr("there is no text_encoder_2"));
  EXPECT_THAT(refusal("sd3", "transformer/config.json", "pooled_projection_dim", 15),
              HasSubstr("14 wide together, the transformer expects 15"));
  EXPECT_THAT(refusal("sd3", "transformer/config.json", "joint_attention_dim", 27),
              HasSubstr("text_encoder_3 is 28 wide, the transformer expects 27"));
  EXPECT_THAT(refusal("sd3", "transformer/config.json", "in_channels", 8),
              HasSubstr("in_channels fit neither"));
  EXPECT_THAT(refusal("sd3", "transformer/config.json", "out_channels", 8),
              HasSubstr("out_channels are not the vae's"));
  EXPECT_THAT(refusal("sd3", "text_encoder/config.json", "vocab_size", 20), HasSubstr("takes 20"));
}

TEST_F(Flow, FluxRefusesPartsThatDoNotFit) {
  EXPECT_THAT(refusal("flux-dev", "model_index.json", "text_encoder_2", {nullptr, nullptr}),
              HasSubstr("there is no text_encoder_2"));
  EXPECT_THAT(refusal("flux-dev", "transformer/config.json", "pooled_projection_dim", 13),
              HasSubstr("text_encoder is 12 wide, the transformer expects 13"));
  EXPECT_THAT(refusal("flux-dev", "transformer/config.json", "joint_attention_dim", 21),
              HasSubstr("text_encoder_2 is 20 wide, the transformer expects 21"));
  EXPECT_THAT(refusal("flux-dev", "transformer/config.json", "in_channels", 12),
              HasSubstr("in_channels are 12"));
}

TEST_F(Flow, Sd3RefusesSettingsByTheirName) {
  const auto pipeline = load("sd3");
  ASSERT_TRUE(pipeline);
  EXPECT_TRUE(pipeline->check(asking("a red cat")));
  auto request = asking("a red cat");
  request.sampling.clip_skip = 3;  // three layers, and the last is never taken
  expect_refused(*pipeline, request, "clip_skip", "expected 0 to 2");
  request = asking("a red cat");
  request.sampling.max_sequence_length = 513;
  expect_refused(*pipeline, request, "max_sequence_length", "513");
  request.sampling.max_sequence_length = 0;
  expect_refused(*pipeline, request, "max_sequence_length");
  request = asking("a red cat");
  request.sampling.scheduler = SchedulerKind::Lcm;
  expect_refused(*pipeline, request, "scheduler");
  request = asking("a red cat");
  request.size = {64, 100};
  expect_refused(*pipeline, request, "size", "64x100");
}

TEST_F(Flow, Sd3CountsEachTextByTheEncoderThatReadsMostOfIt) {
  const auto pipeline = load("sd3");
  ASSERT_TRUE(pipeline);
  // T5 reads 256 tokens unless asked for more; CLIP the beginning of the same text.
  EXPECT_TRUE(pipeline->check(asking(words(100))));
  expect_refused(*pipeline, asking(words(600)), "prompt");
  auto request = asking("a red cat");
  request.prompt.text_3 = words(600);
  expect_refused(*pipeline, request, "prompt_3");
  request.prompt.text_3.reset();
  request.prompt.text_2 = words(100);  // CLIP's alone
  expect_refused(*pipeline, request, "prompt_2");
  request.prompt.text_2.reset();
  request.prompt.negative = words(600);
  expect_refused(*pipeline, request, "negative_prompt");
  request.truncates_prompt = true;
  const auto cut = pipeline->check(request);
  ASSERT_TRUE(cut);
  EXPECT_THAT(cut->notes, ElementsAre(HasSubstr("negative_prompt was cut")));
}

TEST_F(Flow, Sd35WithoutT5ReadsWhatClipReads) {
  const auto pipeline = load("sd35");
  ASSERT_TRUE(pipeline);
  expect_refused(*pipeline, asking(words(100)), "prompt");
}

TEST_F(Flow, Sd3SaysThatANegativePromptNeedsGuidance) {
  const auto pipeline = load("sd3");
  ASSERT_TRUE(pipeline);
  auto request = asking("a red cat");
  request.prompt.negative = "ugly";
  EXPECT_THAT(pipeline->check(request)->notes, IsEmpty());
  request.sampling.guidance_scale = 1;
  EXPECT_THAT(pipeline->check(request)->notes, ElementsAre(HasSubstr("no effect")));
}

TEST_F(Flow, FluxRefusesSettingsByTheirName) {
  const auto pipeline = load("flux-dev");
  ASSERT_TRUE(pipeline);
  auto request = asking("a red cat");
  request.prompt.negative = "ugly";
  EXPECT_THAT(pipeline->check(request)->notes, ElementsAre(HasSubstr("negative_prompt has no")));
  request = asking("a red cat");
  request.sampling.max_sequence_length = 513;
  expect_refused(*pipeline, request, "max_sequence_length", "513");
  EXPECT_TRUE(pipeline->check(asking(words(100))));  // T5 reads 512
  expect_refused(*pipeline, asking(words(1200)), "prompt");
  request = asking(words(100));
  request.prompt.text_2 = "a red cat";  // then the prompt is CLIP's alone
  expect_refused(*pipeline, request, "prompt");
}

TEST_F(Flow, FillTakesNothingButInpainting) {
  const auto pipeline = load("flux-fill");
  ASSERT_TRUE(pipeline);
  EXPECT_THAT(pipeline->traits().tasks, ElementsAre(Task::Inpaint));
  EXPECT_FALSE(pipeline->check(asking("a red cat")));
}

}  // namespace
}  // namespace limner::pipelines
