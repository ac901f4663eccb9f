// Text encoders as files of their own, with weights in 8 bits beside scales of their own, against
// what diffusers paints with the numbers that those stand for.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusion/pipelines/factory.hpp"
#include "parity/check_case.hpp"
#include "parity/manifest.hpp"
#include "runtime/runtime.hpp"

namespace limner::parity {
namespace {

class TextEncoderFile : public testing::TestWithParam<std::string> {
 protected:
  static std::filesystem::path file(const std::string& name) {
    return data_dir() / "files" / "text_encoders" / (name + ".safetensors");
  }

  static void check(const std::filesystem::path& model, const pipelines::ModelParts& parts) {
    auto runtime =
        runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
    ASSERT_TRUE(runtime.has_value()) << runtime.error().message;
    auto pipeline = pipelines::load_pipeline("flux", model, **runtime, {.parts = parts});
    ASSERT_TRUE(pipeline.has_value()) << pipeline.error().message;
    const auto manifest = read_manifest(data_dir() / "files" / "text_encoders" / "manifest.json");
    for (const Case& c : manifest.at(GetParam())) check_case(**pipeline, c);
  }
};

TEST_P(TextEncoderFile, BesideACheckpointPaintsWhatDiffusersPaints) {
  check(data_dir() / "files" / "flux-dev.safetensors",
        {.text_encoders = {{"text_encoder", file("clip_l")}, {"text_encoder_2", file(GetParam())}},
         .configs = model_dir("flux-dev")});
}

TEST_P(TextEncoderFile, TakesThePlaceOfAFoldersOwn) {
  check(model_dir("flux-dev"), {.text_encoders = {{"text_encoder_2", file(GetParam())}}});
}

INSTANTIATE_TEST_SUITE_P(Files, TextEncoderFile, testing::Values("t5xxl_fp8_scaled", "t5xxl_int8"),
                         test_name);

TEST(TextEncoderFileOfAnother, IsRefusedByWhatItIs) {
  auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
  ASSERT_TRUE(runtime.has_value());
  const auto clip = data_dir() / "files" / "text_encoders" / "clip_l.safetensors";
  const auto pipeline =
      pipelines::load_pipeline("flux", model_dir("flux-dev"), **runtime,
                               {.parts = {.text_encoders = {{"text_encoder_2", clip}}}});
  ASSERT_FALSE(pipeline.has_value());
  EXPECT_THAT(pipeline.error().message, testing::HasSubstr("holds no T5 text encoders"));
}

}  // namespace
}  // namespace limner::parity
