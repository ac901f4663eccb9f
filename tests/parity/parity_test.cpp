// Our pictures in float32 against diffusers' own, case by case (README.md). Prints what it
// measured.
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "diffusion/pipelines/factory.hpp"
#include "parity/manifest.hpp"
#include "runtime/runtime.hpp"

namespace limner::parity {
namespace {

struct Difference {
  double mean_abs = 0;  // of 255
  int largest = 0;
  double psnr_db = std::numeric_limits<double>::infinity();
};

Difference compare(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  Difference d;
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int difference = std::abs(int{a[i]} - int{b[i]});
    d.mean_abs += difference;
    squares += difference * difference;
    d.largest = std::max(d.largest, difference);
  }
  const auto count = static_cast<double>(a.size());
  d.mean_abs /= count;
  if (squares > 0) d.psnr_db = 10 * std::log10(255.0 * 255.0 * count / squares);
  return d;
}

// Paints to the end and stacks the pictures from top to bottom.
Result<Image> paint(pipelines::Pipeline& pipeline, const GenerationRequest& request) {
  auto state = pipeline.prepare(request);
  if (!state) return state.error();
  pipelines::DenoiseState* const one = state->get();
  while (!one->is_finished()) {
    if (auto done = pipeline.step({&one, 1}).front(); !done) return done.error();
  }
  auto images = pipeline.decode(*one, pipelines::DecodeQuality::Full);
  if (!images) return images.error();
  Image stacked = images->front();
  for (std::size_t i = 1; i < images->size(); ++i) {
    const Image& next = (*images)[i];
    stacked.pixels.insert(stacked.pixels.end(), next.pixels.begin(), next.pixels.end());
    stacked.size.height_px += next.size.height_px;
  }
  return stacked;
}

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
  auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
  ASSERT_TRUE(runtime.has_value()) << runtime.error().message;
  auto pipeline = pipelines::load_pipeline(GetParam(), dir, **runtime);
  ASSERT_TRUE(pipeline.has_value()) << pipeline.error().message;
  const auto manifests = read_manifests();
  for (const Case& c : manifests.at(GetParam())) check_case(**pipeline, c);
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
