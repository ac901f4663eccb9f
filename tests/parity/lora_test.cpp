// LoRA files of each key style, alone and together, against what diffusers paints after
// load_lora_weights, set_adapters and fuse_lora.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusion/pipelines/factory.hpp"
#include "parity/check_case.hpp"
#include "parity/manifest.hpp"
#include "parity/painting.hpp"
#include "runtime/runtime.hpp"

namespace limner::parity {
namespace {

using testing::HasSubstr;
using testing::IsSupersetOf;

Result<Loaded> load_with_loras(const std::string& toy, std::vector<AdapterRef> adapters,
                               const std::string& loras) {
  auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
  if (!runtime) return runtime.error();
  auto pipeline = pipelines::load_pipeline(
      toy, model_dir(toy), **runtime,
      {.lora_dir = data_dir() / "loras" / loras, .adapters = std::move(adapters)});
  if (!pipeline) return pipeline.error();
  return Loaded{.runtime = *std::move(runtime), .pipeline = *std::move(pipeline)};
}

class Lora : public testing::TestWithParam<const char*> {};

TEST_P(Lora, PaintsWhatDiffusersPaintsWithItFused) {
  const auto manifest = read_manifest(data_dir() / "loras" / "manifest.json");
  std::vector<AdapterRef> adapters;
  std::optional<Result<Loaded>> model;
  for (const Case& c : manifest.at(GetParam())) {
    // Cases of one set stand together.
    if (!model || adapters != c.request.adapters) {
      adapters = c.request.adapters;
      model.emplace(load_with_loras(GetParam(), adapters, GetParam()));
    }
    ASSERT_TRUE(*model) << model->error().message;
    check_case(*(*model)->pipeline, c);
  }
}

TEST_P(Lora, ARequestWithoutAnyIsTheModelsOwn) {
  const auto model = load_with_loras(GetParam(), {}, GetParam());
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(model->pipeline->traits().adapters, IsSupersetOf({"kohya", "peft"}));
  const auto manifests = read_manifests();
  check_case(*model->pipeline, manifests.at(GetParam()).front());
}

INSTANTIATE_TEST_SUITE_P(Toys, Lora, testing::Values("sd1", "sdxl", "sd3", "sd35", "flux-dev"),
                         [](const auto& toy) {
                           return test_name({toy.param, toy.index});
                         });

// Rank-stabilised scales, alpha and rank patterns, PEFT's config beside the file, DoRA of rows and
// of columns.
TEST(LoraVariants, PaintWhatDiffusersPaintsWithThemFused) {
  const auto manifest = read_manifest(data_dir() / "loras" / "sd1-variants" / "manifest.json");
  std::optional<Result<Loaded>> model;
  for (const Case& c : manifest.at("sd1")) {
    model.emplace(load_with_loras("sd1", c.request.adapters, "sd1-variants"));
    ASSERT_TRUE(*model) << c.name << ": " << model->error().message;
    check_case(*(*model)->pipeline, c);
  }
}

TEST(LoraOfAnotherModel, SaysWhatDidNotApply) {
  const auto model = load_with_loras("sd1", {{.name = "kohya", .scale = 1}}, "sdxl");
  ASSERT_TRUE(model) << "modules of equal names and widths apply";
  auto request = read_manifests().at("sd1").front().request;
  const auto effective = model->pipeline->check(request);
  ASSERT_TRUE(effective) << effective.error().message;
  ASSERT_FALSE(effective->notes.empty());
  EXPECT_THAT(effective->notes.back(), HasSubstr("had no effect"));
}

TEST(LoraOfAnotherModel, IsRefusedWhereNothingApplies) {
  const auto model = load_with_loras("sd1", {{.name = "peft", .scale = 1}}, "flux-dev");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, "invalid_lora");
  EXPECT_THAT(model.error().message, HasSubstr("peft"));
}

}  // namespace
}  // namespace limner::parity
