// What the config.json files of Z-Image's two networks may say, and how they are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusion/models/qwen3_model.hpp"
#include "diffusion/models/z_image_transformer_2d.hpp"

namespace limner::models {
namespace {

using ::testing::HasSubstr;

Component component(json::object config) {
  return {.name = "net", .where = "net/config.json", .config = std::move(config), .weights = {}};
}

Result<Qwen3Config> parse_text(json::object config) {
  return Qwen3Config::parse(component(std::move(config)));
}

Result<ZImageTransformerConfig> parse_transformer(json::object config) {
  return ZImageTransformerConfig::parse(component(std::move(config)));
}

TEST(Qwen3Config, ReadsAngleBasesOfBothGenerationsOfTransformers) {
  const auto old = parse_text({{"rope_theta", 1e6}, {"rope_scaling", nullptr}});
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->rope_theta, 1e6);
  const auto current =
      parse_text({{"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5000}}}});
  ASSERT_TRUE(current) << current.error().message;
  EXPECT_EQ(current->rope_theta, 5000);
}

TEST(Qwen3Config, TakesAsManyKeyHeadsAsHeadsWhereNoneAreNamed) {
  const auto none = parse_text({{"num_attention_heads", 6}, {"num_key_value_heads", nullptr}});
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(none->num_key_value_heads, 6);
}

TEST(Qwen3Config, NamesAnOptionThatIsNotUnderstood) {
  const json::object refused{{"model_type", "qwen2"},
                             {"use_sliding_window", true},
                             {"layer_types", {"full_attention", "sliding_attention"}},
                             {"rope_scaling", {{"rope_type", "yarn"}, {"factor", 4.0}}},
                             {"rope_theta", 0},
                             {"num_hidden_layers", 0},
                             {"num_key_value_heads", 5},
                             {"head_dim", 7},
                             {"quantization_config", {{"bits", 4}}},
                             {"a_key_of_next_year", 1}};
  for (const auto& [key, value] : refused) {
    json::object one;
    one[key] = value;
    const auto config = parse_text(one);
    ASSERT_FALSE(config) << key;
    EXPECT_THAT(config.error().message, HasSubstr(std::string(key)));
  }
}

TEST(ZImageConfig, DefaultsAreThePublishedModels) {
  const auto config = parse_transformer({});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->axes_dims, (std::vector<std::int64_t>{32, 48, 48}));
  EXPECT_EQ(config->caption_length_max(), 992);
}

TEST(ZImageConfig, FindsPatchesOfTwoAmongSeveral) {
  EXPECT_TRUE(parse_transformer({{"all_patch_size", {4, 2}}, {"all_f_patch_size", {1, 1}}}));
}

TEST(ZImageConfig, NamesAnOptionThatIsNotUnderstood) {
  const json::object refused{{"all_patch_size", {4}},
                             {"siglip_feat_dim", 1152},
                             {"axes_dims", {32, 48, 46}},
                             {"axes_dims", {128}},
                             {"axes_lens", {33, 512, 512}},
                             {"n_layers", -1},
                             {"dim", 0},
                             {"rope_theta", -1},
                             {"a_key_of_next_year", 1}};
  for (const auto& [key, value] : refused) {
    json::object one;
    one[key] = value;
    const auto config = parse_transformer(one);
    ASSERT_FALSE(config) << key;
    EXPECT_THAT(config.error().message, HasSubstr(std::string(key)));
  }
}

}  // namespace
}  // namespace limner::models
