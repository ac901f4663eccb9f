#include "diffusion/pipelines/request_checks.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limner::pipelines {
namespace {

using ::testing::HasSubstr;

ModelTraits traits() {
  ModelTraits t;
  t.name = "model";
  t.size_multiple_px = 16;
  t.side_px_min = 16;
  t.side_px_max = 512;
  t.pixels_max = 512u * 256u;
  t.steps_max = 100;
  t.schedulers = {SchedulerKind::Ddim, SchedulerKind::Euler};
  t.defaults.scheduler = SchedulerKind::Ddim;
  t.defaults.num_inference_steps = 20;
  t.tasks = {Task::TextToImage};
  return t;
}

GenerationRequest request() {
  GenerationRequest r;
  r.size = {256, 256};
  return r;
}

TEST(CheckCommon, FillsInTheModelsDefaults) {
  const auto effective = check_common(request(), traits());
  ASSERT_TRUE(effective) << effective.error().message;
  EXPECT_EQ(effective->num_inference_steps, 20);
  EXPECT_EQ(effective->scheduler, SchedulerKind::Ddim);
}

TEST(CheckCommon, NamesTheNearestSize) {
  auto r = request();
  r.size = {250, 256};
  const auto refused = check_common(r, traits());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "size");
  EXPECT_THAT(refused.error().message, HasSubstr("nearest is 256x256"));
}

TEST(CheckCommon, NearestSizeIsAlwaysTaken) {
  const auto t = traits();
  for (const ImageSize wanted : {ImageSize{1, 1}, {9999, 9999}, {513, 17}, {0, -5}, {512, 512}}) {
    auto r = request();
    r.size = nearest_size(wanted, t);
    EXPECT_TRUE(check_common(r, t)) << to_string(wanted) << " → " << to_string(r.size);
  }
}

TEST(CheckCommon, RefusesNumbersOutOfRangeByName) {
  const auto refused_param = [](auto change) {
    auto r = request();
    change(r);
    const auto result = check_common(r, traits());
    return result ? std::string("accepted") : result.error().param;
  };
  EXPECT_EQ(refused_param([](auto& r) { r.sampling.num_inference_steps = 0; }),
            "num_inference_steps");
  EXPECT_EQ(refused_param([](auto& r) { r.sampling.num_inference_steps = 101; }),
            "num_inference_steps");
  EXPECT_EQ(refused_param([](auto& r) { r.sampling.guidance_scale = NAN; }), "guidance_scale");
  EXPECT_EQ(refused_param([](auto& r) { r.sampling.guidance_scale = -1; }), "guidance_scale");
  EXPECT_EQ(refused_param([](auto& r) { r.sampling.strength = NAN; }), "strength");
  EXPECT_EQ(refused_param([](auto& r) { r.sampling.strength = 1.1; }), "strength");
  EXPECT_EQ(refused_param([](auto& r) { r.sampling.eta = 2; }), "eta");
  EXPECT_EQ(refused_param([](auto& r) { r.image_count = 0; }), "n");
  EXPECT_EQ(refused_param([](auto& r) { r.sampling.scheduler = SchedulerKind::Lcm; }), "scheduler");
  EXPECT_EQ(refused_param([](auto& r) { r.task = Task::Inpaint; }), "image");
}

}  // namespace
}  // namespace limner::pipelines
