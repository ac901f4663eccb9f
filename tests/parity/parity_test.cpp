// Our pictures in float32 against diffusers' own, case by case (README.md). Prints what it
// measured.
#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "parity/manifest.hpp"
#include "parity/painting.hpp"

namespace limner::parity {
namespace {

void check_case(pipelines::Pipeline& pipeline, const Case& c) {
  const auto picture = paint(pipeline, c.request);
  if (!picture) {
    ADD_FAILURE() << c.name << ": " << picture.error().message << ' ' << picture.error().detail;
    return;
  }
  const Image expected = read_picture(c.file);
  ASSERT_EQ(picture->size, expected.size) << c.name;
  const Difference d = compare(picture->pixels, expected.pixels);
  fmt::print("  {:<32} mean {:.4f}/255  largest {:3}  PSNR {:5.1f} dB\n", c.name, d.mean_abs,
             d.largest, d.psnr_db);
  EXPECT_LE(d.mean_abs, c.tolerance.mean_abs_difference_8bit) << c.name;
  EXPECT_GE(d.psnr_db, c.tolerance.psnr_db) << c.name;
}

class Parity : public testing::TestWithParam<std::string> {};

TEST_P(Parity, PaintsWhatDiffusersPaints) {
  const std::filesystem::path dir = model_dir(GetParam());
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << dir << " is not here";
  const auto model = load_model(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  const auto manifests = read_manifests();
  for (const Case& c : manifests.at(GetParam())) check_case(*model->pipeline, c);
}

std::vector<std::string> models() {
  std::vector<std::string> names;
  for (const auto& [name, cases] : read_manifests()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Models, Parity, testing::ValuesIn(models()), [](const auto& param) {
  std::string name = param.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace limner::parity
