// What Z-Image's pipeline says about itself, and what it refuses, at loading and before painting.
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

class ZImage : public ToyPipelines {
 protected:
  Result<std::unique_ptr<Pipeline>> load(const fs::path& folder) {
    return load_folder("z", folder);
  }

  // The toy with one value of one config changed.
  Result<std::unique_ptr<Pipeline>> load_changed(const fs::path& config, std::string_view key,
                                                 const json::value& value) {
    return ToyPipelines::load_changed("z-image-turbo", config, key, value);
  }
};

GenerationRequest asking(std::string prompt) {
  GenerationRequest request;
  request.prompt.text = std::move(prompt);
  request.size = {64, 64};
  return request;
}

TEST_F(ZImage, TurboIsKnownByItsShift) {
  const auto turbo = load(toy("z-image-turbo"));
  ASSERT_TRUE(turbo) << turbo.error().message;
  EXPECT_EQ((*turbo)->traits().defaults.num_inference_steps, 8);
  EXPECT_EQ((*turbo)->traits().defaults.guidance_scale, 0);
  const auto base = load(toy("z-image-base"));
  ASSERT_TRUE(base) << base.error().message;
  EXPECT_EQ((*base)->traits().defaults.num_inference_steps, 50);
  EXPECT_EQ((*base)->traits().defaults.guidance_scale, 5);
}

TEST_F(ZImage, SizesEndWhereThePositionsDo) {
  const auto pipeline = load(toy("z-image-turbo"));  // 40 patches of 8 pixels each way
  ASSERT_TRUE(pipeline);
  EXPECT_EQ((*pipeline)->traits().size_multiple_px, 8);
  EXPECT_EQ((*pipeline)->traits().side_px_max, 320);
  EXPECT_EQ((*pipeline)->traits().defaults.size, (ImageSize{320, 320}));
}

TEST_F(ZImage, RefusesPartsThatDoNotFit) {
  const struct {
    const char* config;
    const char* key;
    json::value value;
    const char* message;
  } cases[] = {
      {"model_index.json", "text_encoder", {nullptr, nullptr}, "there is no text_encoder"},
      {"transformer/config.json", "cap_feat_dim", 25, "24 wide, the transformer expects 25"},
      {"transformer/config.json", "in_channels", 8, "in_channels are 8, the vae's latent"},
      {"transformer/config.json", "siglip_feat_dim", 64, "siglip_feat_dim"},
      {"text_encoder/config.json", "vocab_size", 400, "400"},
      {"text_encoder/config.json", "use_sliding_window", true, "use_sliding_window"},
  };
  for (const auto& c : cases) {
    const auto pipeline = load_changed(c.config, c.key, c.value);
    ASSERT_FALSE(pipeline) << c.key;
    EXPECT_THAT(pipeline.error().message, HasSubstr(c.message));
  }
}

TEST_F(ZImage, RefusesAnExportedTransformer) {
  fs::copy(toy("z-image-turbo"), copy_, fs::copy_options::recursive);
  fs::remove(copy_ / "transformer/diffusion_pytorch_model.safetensors");
  ASSERT_TRUE(write_file(copy_ / "transformer/openvino_model.xml", "<net/>"));
  ASSERT_TRUE(write_file(copy_ / "transformer/openvino_model.bin", "weights"));
  const auto pipeline = load(copy_);
  ASSERT_FALSE(pipeline);
  EXPECT_THAT(pipeline.error().message, HasSubstr("not served from OpenVINO IR"));
}

TEST_F(ZImage, GuidanceBeginsAboveZero) {
  const auto pipeline = load(toy("z-image-turbo"));
  ASSERT_TRUE(pipeline);
  auto request = asking("a red cat");
  request.prompt.negative = "ugly";
  const auto effective = (*pipeline)->check(request);
  ASSERT_TRUE(effective);
  EXPECT_THAT(effective->notes, ElementsAre(HasSubstr("negative_prompt has no effect")));
  EXPECT_EQ((*pipeline)->batch_shape(request).rows, 1);
  request.sampling.guidance_scale = 0.5;
  EXPECT_THAT((*pipeline)->check(request)->notes, IsEmpty());
  EXPECT_EQ((*pipeline)->batch_shape(request).rows, 2);
}

TEST_F(ZImage, AMessageThatIsTooLongIsRefusedOrCut) {
  const auto pipeline = load(toy("z-image-turbo"));
  ASSERT_TRUE(pipeline);
  const std::string digits(600, '7');  // a token each
  const auto refused = (*pipeline)->check(asking(digits));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "prompt_too_long");
  EXPECT_EQ(refused.error().param, "prompt");
  EXPECT_THAT(refused.error().message, HasSubstr("prompt: 600 tokens"));

  auto cut = asking(digits);
  cut.truncates_prompt = true;
  cut.sampling.max_sequence_length = 40;
  const auto effective = (*pipeline)->check(cut);
  ASSERT_TRUE(effective) << effective.error().message;
  EXPECT_THAT(effective->notes, ElementsAre(HasSubstr("prompt was cut to its first")));
  EXPECT_EQ((*pipeline)->batch_shape(cut).key.sequence_length, 64);

  auto negative = asking("a cat");
  negative.prompt.negative = digits;
  EXPECT_TRUE((*pipeline)->check(negative));  // not read without guidance
  negative.sampling.guidance_scale = 2;
  EXPECT_EQ((*pipeline)->check(negative).error().param, "negative_prompt");
}

TEST_F(ZImage, RefusesLengthsBeyondTheReferences) {
  const auto pipeline = load(toy("z-image-turbo"));
  ASSERT_TRUE(pipeline);
  for (const int length : {0, 513}) {
    auto request = asking("a cat");
    request.sampling.max_sequence_length = length;
    const auto effective = (*pipeline)->check(request);
    ASSERT_FALSE(effective);
    EXPECT_EQ(effective.error().param, "max_sequence_length");
  }
}

}  // namespace
}  // namespace limner::pipelines
