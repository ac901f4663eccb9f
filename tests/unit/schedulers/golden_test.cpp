// Every scheduler class against diffusers: timesteps, sigmas, first noise, noised and scaled
// latents, and whole trajectories. The cases are in tests/golden/schedulers.
#include "golden.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "diffusion/schedulers/factory.hpp"

namespace limner::schedulers {
namespace {

constexpr double kTolerance = 1e-5;

// Relative to the largest expected magnitude, absolute below 1; an empty string when all is well.
std::string compare(std::span<const float> got, std::span<const float> expected) {
  if (got.size() != expected.size()) {
    return std::to_string(got.size()) + " numbers, expected " + std::to_string(expected.size());
  }
  double scale = 1;
  for (const float value : expected) scale = std::max(scale, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(static_cast<double>(got[i]) - expected[i]);
    if (error <= kTolerance * scale) continue;
    return "number " + std::to_string(i) + " is " + std::to_string(got[i]) + ", expected " +
           std::to_string(expected[i]) + ", off by " + std::to_string(error / scale) + " of scale";
  }
  return {};
}

double number_or(const json::object& o, std::string_view key, double fallback) {
  const auto* value = o.if_contains(key);
  return value ? value->to_number<double>() : fallback;
}

ScheduleRequest request_of(const json::object& c) {
  ScheduleRequest request{
      .num_inference_steps = static_cast<int>(number_or(c, "steps", 0)),
      .image_sequence_length = static_cast<int>(number_or(c, "tokens", 0)),
      .sigmas = {},
      .strength = number_or(c, "strength", 1.0),
  };
  if (c.contains("linear_sigmas")) {
    const int n = request.num_inference_steps;
    for (int i = 0; i < n; ++i) {
      request.sigmas.push_back(n == 1 ? 1.0 : 1.0 + i * (1.0 / n - 1.0) / (n - 1));
    }
  }
  return request;
}

void check_trajectory(Scheduler& scheduler, const json::object& c) {
  const auto& expected = c.at("expected").as_object();
  auto latents = pseudo_latents(1000);
  const int begin = static_cast<int>(number_or(c, "begin", 0));
  if (c.contains("begin")) {
    scheduler.add_noise(latents, pseudo_latents(2000), begin, latents);
    EXPECT_EQ(compare(latents, floats_of(expected.at("noisy"))), "") << "noised latents";
  }
  if (expected.contains("scaled")) {
    std::vector<float> scaled(latents.size());
    scheduler.scale_model_input(latents, begin, scaled);
    EXPECT_EQ(compare(scaled, floats_of(expected.at("scaled"))), "") << "network input";
  }
  std::vector<int> kept;
  for (const auto& index : expected.at("kept").as_array()) kept.push_back(index.to_number<int>());
  const auto samples = floats_of(expected.at("samples"));
  TorchGenerator generator(7);
  const StepOptions options{.eta = number_or(c, "eta", 0)};
  std::size_t position = 0;
  for (int i = begin; i < static_cast<int>(scheduler.timesteps().size()); ++i) {
    scheduler.step(pseudo_latents(static_cast<std::uint32_t>(i)), i, latents, generator, options);
    if (position == kept.size() || kept[position] != i) continue;
    const auto wanted = std::span(samples).subspan(position * latents.size(), latents.size());
    ASSERT_EQ(compare(latents, wanted), "") << "after call " << i;
    ++position;
  }
  EXPECT_EQ(position, kept.size());
}

void check_case(const json::object& c, const json::object& file) {
  SCOPED_TRACE(std::string(c.at("id").as_string()));
  const auto config = load_scheduler_config(file);
  ASSERT_TRUE(config.has_value()) << config.error().message;
  const auto* name = c.if_contains("name");
  auto scheduler =
      make_scheduler(*config, name ? std::string_view(name->as_string()) : std::string_view());
  ASSERT_TRUE(scheduler.has_value()) << scheduler.error().message;
  const auto set = (*scheduler)->set_timesteps(request_of(c));
  ASSERT_TRUE(set.has_value()) << set.error().message;

  const auto& expected = c.at("expected").as_object();
  EXPECT_EQ((*scheduler)->order(), expected.at("order").to_number<int>());
  ASSERT_EQ(compare((*scheduler)->timesteps(), floats_of(expected.at("timesteps"))), "")
      << "timesteps";
  if (expected.contains("sigmas")) {
    ASSERT_EQ(compare((*scheduler)->sigmas(), floats_of(expected.at("sigmas"))), "") << "sigmas";
  }
  const float first[] = {(*scheduler)->init_noise_sigma()};
  const float expected_first[] = {expected.at("init_noise_sigma").to_number<float>()};
  EXPECT_EQ(compare(first, expected_first), "") << "init_noise_sigma";
  check_trajectory(**scheduler, c);
}

TEST(SchedulerGolden, EachClassPaintsWhatDiffusersPaints) {
  const auto golden = load_golden("classes.json");
  const auto& cases = golden.at("cases").as_array();
  EXPECT_GT(cases.size(), 500U);
  for (const auto& c : cases) {
    check_case(c.as_object(), c.at("config").as_object());
  }
}

TEST(SchedulerGolden, AnotherClassTakesTheListedKeysAndItsOwnDefaults) {
  const auto golden = load_golden("switching.json");
  const auto& cases = golden.at("cases").as_array();
  EXPECT_GT(cases.size(), 200U);
  for (const auto& c : cases) {
    const auto& folder = golden.at("folders").as_object().at(c.at("folder").as_string());
    check_case(c.as_object(), folder.as_object());
  }
}

}  // namespace
}  // namespace limner::schedulers
