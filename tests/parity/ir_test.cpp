// Toys exported to OpenVINO IR paint what diffusers painted with the toys themselves. The exports
// are made on demand (README.md) and larger than the toys: without them this is skipped.
#include <string>

#include <gtest/gtest.h>

#include "diffusion/pipelines/factory.hpp"
#include "parity/check_case.hpp"
#include "parity/manifest.hpp"
#include "runtime/runtime.hpp"
#include "support/temp_dir.hpp"

namespace limner::parity {
namespace {

class ExportedIr : public testing::TestWithParam<std::string> {};

TEST_P(ExportedIr, PaintsWhatTheFolderPaints) {
  const std::string toy = GetParam();
  const auto dir = data_dir() / "ir" / toy;
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << dir << " is not here";
  auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
  ASSERT_TRUE(runtime.has_value()) << runtime.error().message;
  auto pipeline = pipelines::load_pipeline(toy, dir, **runtime);
  ASSERT_TRUE(pipeline.has_value()) << pipeline.error().message;
  const auto manifests = read_manifests();
  const auto& cases = manifests.at(toy);
  for (std::size_t i = 0; i < cases.size(); i += 4) {
    // An exported encoder gives its last layer alone, or all of them without the final norm.
    if (!cases[i].request.sampling.clip_skip) check_case(**pipeline, cases[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Toys, ExportedIr, testing::Values("sd1", "sdxl", "sd3", "flux-schnell"),
                         test_name);

// A folder with both formats: its safetensors are used, so that LoRAs can be added.
TEST(BothFormats, AreServedFromTheSafetensors) {
  const TempDir dir;
  const auto options = std::filesystem::copy_options::recursive;
  std::filesystem::copy(model_dir("sdxl"), dir.path(), options);
  for (const char* const part :
       {"unet", "text_encoder", "text_encoder_2", "vae_decoder", "vae_encoder"}) {
    std::filesystem::copy(data_dir() / "ir" / "sdxl" / part, dir / part,
                          options | std::filesystem::copy_options::skip_existing);
  }
  auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
  ASSERT_TRUE(runtime.has_value()) << runtime.error().message;
  const Case c = read_manifest(data_dir() / "loras" / "manifest.json").at("sdxl").front();
  auto pipeline = pipelines::load_pipeline(
      "sdxl", dir.path(), **runtime,
      {.lora_dir = data_dir() / "loras" / "sdxl", .adapters = c.request.adapters});
  ASSERT_TRUE(pipeline.has_value()) << pipeline.error().message;
  EXPECT_EQ((*pipeline)->traits().weights_format, "safetensors");
  check_case(**pipeline, c);

  // With half its safetensors it is an IR.
  std::filesystem::remove(dir / "unet" / "diffusion_pytorch_model.safetensors");
  pipeline = pipelines::load_pipeline("sdxl", dir.path(), **runtime);
  ASSERT_TRUE(pipeline.has_value()) << pipeline.error().message;
  EXPECT_EQ((*pipeline)->traits().weights_format, "openvino");
  check_case(**pipeline, read_manifests().at("sdxl").front());
}

// int8 and int4 as nncf compresses them, against OpenVINO's own run of the same files in float32.
TEST(CompressedIr, PaintsWhatOptimumPaintsWithIt) {
  const auto file = data_dir() / "ir" / "manifest.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here";
  for (const auto& [name, cases] : read_manifest(file)) {
    auto runtime =
        runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
    ASSERT_TRUE(runtime.has_value()) << runtime.error().message;
    auto pipeline = pipelines::load_pipeline(name, data_dir() / "ir" / name, **runtime);
    ASSERT_TRUE(pipeline.has_value()) << name << ": " << pipeline.error().message;
    for (const Case& c : cases) check_case(**pipeline, c);
  }
}

}  // namespace
}  // namespace limner::parity
