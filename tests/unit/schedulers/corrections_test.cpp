// Options that a pipeline sets after the folder's file was read.
#include <gtest/gtest.h>

#include "diffusion/schedulers/factory.hpp"

namespace limner::schedulers {
namespace {

SchedulerConfig corrected(json::object file) {
  file["_class_name"] = "PNDMScheduler";
  file["skip_prk_steps"] = true;
  auto config = load_scheduler_config(file);
  EXPECT_TRUE(config) << config.error().message;
  correct(*config, "steps_offset", 1);
  return *std::move(config);
}

// 1 when leading timesteps are offset by one, else 0.
float last_timestep(const SchedulerConfig& config, std::string_view name) {
  auto scheduler = make_scheduler(config, name);
  EXPECT_TRUE(scheduler) << scheduler.error().message;
  EXPECT_TRUE((*scheduler)->set_timesteps({.num_inference_steps = 10}));
  return (*scheduler)->timesteps().back();
}

TEST(SchedulerCorrection, OfAListedOptionHoldsForEveryClass) {
  const auto config = corrected({{"steps_offset", 0}});
  EXPECT_EQ(last_timestep(config, ""), 1);
  EXPECT_EQ(last_timestep(config, "ddim"), 1);
}

TEST(SchedulerCorrection, OfAnOptionThatIsNotListedHoldsForTheFoldersOwnClass) {
  const auto config = corrected({});
  EXPECT_EQ(last_timestep(config, ""), 1);
  EXPECT_EQ(last_timestep(config, "ddim"), 0);
}

}  // namespace
}  // namespace limner::schedulers
