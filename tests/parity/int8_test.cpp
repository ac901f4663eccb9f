// Pictures of int8 weights beside what diffusers painted in float32: how far rounding every matrix
// moves the default model's pictures, and those of toys that are amplified to show mistakes.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "diffusion/pipelines/factory.hpp"
#include "parity/manifest.hpp"
#include "parity/painting.hpp"
#include "runtime/runtime.hpp"

namespace limner::parity {
namespace {

using runtime::Precision;

Result<Loaded> load_int8(const std::string& name, const std::filesystem::path& path,
                         Precision precision, pipelines::LoadOptions options = {}) {
  auto runtime = runtime::Runtime::create({.precision = precision, .cache_dir = {}});
  if (!runtime) return runtime.error();
  options.weight_format = nn::WeightFormat::Int8;
  auto pipeline = pipelines::load_pipeline(name, path, **runtime, options);
  if (!pipeline) return pipeline.error();
  return Loaded{.runtime = *std::move(runtime), .pipeline = *std::move(pipeline)};
}

void check_near(const Result<Loaded>& model, const Case& c, double mean_abs_max) {
  ASSERT_TRUE(model.has_value()) << model.error().message;
  const auto picture = paint_by_torchs_seeds(*model->pipeline, c.request);
  ASSERT_TRUE(picture.has_value()) << picture.error().message;
  const Difference d = compare(picture->pixels, read_picture(c.file).pixels);
  fmt::print("  {:<28} mean {:.3f}/255  PSNR {:5.1f} dB\n", c.name, d.mean_abs, d.psnr_db);
  EXPECT_LE(d.mean_abs, mean_abs_max) << c.name;
  // Nothing at all would mean that the weights were not rounded.
  EXPECT_GT(d.mean_abs, 0.02) << c.name;
}

struct Model {
  const char* name;
  double mean_abs_max;  // 8-bit levels
};

class Int8 : public testing::TestWithParam<Model> {};

TEST_P(Int8, APictureStaysNearTheOneOfFloat32) {
  const auto& [name, mean_abs_max] = GetParam();
  const auto manifests = read_manifests();
  const Case& c = manifests.at(name).front();
  check_near(load_int8(name, model_dir(name), Precision::F32), c, mean_abs_max);
  // Rounds the inputs of products to int8 as well, where the machine is faster so.
  const auto automatic = load_int8(name, model_dir(name), Precision::Auto);
  ASSERT_TRUE(automatic.has_value()) << automatic.error().message;
  // bf16 would move pictures by itself.
  if (automatic->pipeline->traits().precision == to_string(Precision::F32)) {
    check_near(automatic, c, mean_abs_max);
  }
}

// The embedded model's text encoder says the latents themselves: rounding it shows.
INSTANTIATE_TEST_SUITE_P(Models, Int8,
                         testing::Values(Model{"emoji-256", 4}, Model{"sd1", 3}, Model{"sdxl", 1.5},
                                         Model{"sd3", 1}, Model{"flux-dev", 1}),
                         [](const auto& param) {
                           std::string name = param.param.name;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Int8SingleFile, IsRoundedAsTheFolderIs) {
  const auto manifests = read_manifests();
  const auto file = data_dir() / "files" / "sd3.safetensors";
  check_near(load_int8("sd3", file, Precision::F32, {.parts = {.configs = model_dir("sd3")}}),
             manifests.at("sd3").front(), 1);
}

// The LoRA moves this picture by 28 levels.
TEST(Int8Lora, IsAddedBeforeRounding) {
  const auto manifest = read_manifest(data_dir() / "loras" / "manifest.json");
  const Case& c = manifest.at("sd1").front();
  const auto model =
      load_int8("sd1", model_dir("sd1"), Precision::F32,
                {.lora_dir = data_dir() / "loras" / "sd1", .adapters = c.request.adapters});
  check_near(model, c, 1);
}

}  // namespace
}  // namespace limner::parity
