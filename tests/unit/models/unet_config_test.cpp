// What a UNet's config.json may say, and how it is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusion/models/unet_2d_condition.hpp"

namespace limner::models {
namespace {

using ::testing::HasSubstr;

Result<UNet2DConditionConfig> parse(json::object config) {
  return UNet2DConditionConfig::parse(
      {.name = "unet", .where = "unet/config.json", .config = std::move(config), .weights = {}});
}

TEST(UNetConfig, TakesOneSideOrHeightAndWidth) {
  const auto square = parse({{"sample_size", 32}});
  ASSERT_TRUE(square) << square.error().message;
  EXPECT_EQ(square->sample_height, 32);
  EXPECT_EQ(square->sample_width, 32);
  const auto wide = parse({{"sample_size", {64, 96}}});
  ASSERT_TRUE(wide) << wide.error().message;
  EXPECT_EQ(wide->sample_height, 64);
  EXPECT_EQ(wide->sample_width, 96);
  const auto none = parse({{"sample_size", nullptr}});
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(none->sample_height, 0);
}

TEST(UNetConfig, RefusesASizeThatIsNone) {
  for (const json::value& bad : {json::value(0), json::value("64"), json::value({64})}) {
    const auto config = parse({{"sample_size", bad}});
    ASSERT_FALSE(config) << json::serialize(bad);
    EXPECT_EQ(config.error().param, "sample_size");
  }
}

TEST(UNetConfig, TakesTheStateOfTrainingThatEmaModelLeaves) {
  const auto config = parse({{"_class_name", "UNet2DConditionModel"},
                             {"decay", 0.9999},
                             {"inv_gamma", 1.0},
                             {"min_decay", 0.0},
                             {"optimization_step", 37000},
                             {"power", 0.6666666666666666},
                             {"update_after_step", 0},
                             {"use_ema_warmup", false}});
  EXPECT_TRUE(config) << config.error().message;
}

TEST(UNetConfig, NamesAnOptionThatIsNotUnderstood) {
  const json::object refused{
      {"dual_cross_attention", true},     {"num_attention_heads", 8},
      {"class_embed_type", "timestep"},   {"addition_embed_type", "image_hint"},
      {"time_embedding_type", "fourier"}, {"a_key_of_next_year", 1}};
  for (const auto& [key, value] : refused) {
    json::object one;
    one[key] = value;
    const auto config = parse(one);
    ASSERT_FALSE(config) << key;
    EXPECT_THAT(config.error().message, HasSubstr(std::string(key)));
  }
}

}  // namespace
}  // namespace limner::models
