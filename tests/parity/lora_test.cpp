// LoRA files of each key style, alone and together, against what diffusers paints after
// load_lora_weights, set_adapters and fuse_lora.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "diffusion/pipelines/factory.hpp"
#include "parity/check_case.hpp"
#include "parity/manifest.hpp"
#include "parity/painting.hpp"
#include "runtime/runtime.hpp"

namespace limner::parity {
namespace {

Result<Loaded> load_with_loras(const std::string& toy) {
  auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
  if (!runtime) return runtime.error();
  auto pipeline = pipelines::load_pipeline(toy, model_dir(toy), **runtime,
                                           {.lora_dir = data_dir() / "loras" / toy});
  if (!pipeline) return pipeline.error();
  return Loaded{.runtime = *std::move(runtime), .pipeline = *std::move(pipeline)};
}

class Lora : public testing::TestWithParam<const char*> {};

TEST_P(Lora, PaintsWhatDiffusersPaintsWithItFused) {
  const auto model = load_with_loras(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  const auto manifest = read_manifest(data_dir() / "loras" / "manifest.json");
  for (const Case& c : manifest.at(GetParam())) check_case(*model->pipeline, c);
}

TEST_P(Lora, ATagInThePromptIsTheSameAsTheField) {
  const auto model = load_with_loras(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  const auto manifest = read_manifest(data_dir() / "loras" / "manifest.json");
  for (Case c : manifest.at(GetParam())) {
    for (const auto& adapter : c.request.adapters) {
      c.request.prompt.text += fmt::format("<lora:{}:{}>", adapter.name, adapter.scale);
    }
    const auto by_field = model->pipeline->batch_shape(c.request).key;
    c.request.adapters.clear();
    if (c.name == "sd1-lora-kohya1.0") check_case(*model->pipeline, c);
    EXPECT_NE(by_field, model->pipeline->batch_shape(c.request).key);  // twice the strength
  }
}

TEST_P(Lora, ARequestWithoutAnyIsTheModelsOwn) {
  const auto model = load_with_loras(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  const auto manifests = read_manifests();
  check_case(*model->pipeline, manifests.at(GetParam()).front());
}

INSTANTIATE_TEST_SUITE_P(Toys, Lora, testing::Values("sd1", "sdxl", "sd3", "sd35", "flux-dev"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace limner::parity
