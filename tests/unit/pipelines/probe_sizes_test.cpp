#include "diffusion/pipelines/probe_sizes.hpp"

#include <gtest/gtest.h>

#include "toy_pipelines.hpp"

namespace limner::pipelines {
namespace {

using runtime::ProbeSizes;

TEST(ProbeSizes, AreTheDenoisersOwn) {
  EXPECT_EQ(probe_sizes({{"block_out_channels", {320, 640}}, {"sample_size", 96}}),
            (ProbeSizes{.channels = 320, .side = 96}));
  EXPECT_EQ(probe_sizes({{"num_attention_heads", 24},
                         {"attention_head_dim", 64},
                         {"sample_size", 128},
                         {"patch_size", 2}}),
            (ProbeSizes{.channels = 1536, .side = 64}));
  EXPECT_EQ(probe_sizes({{"dim", 3840}}), (ProbeSizes{.channels = 3840, .side = 64}));
  EXPECT_EQ(probe_sizes({{"block_out_channels", {32}}, {"sample_size", {48, 64}}}),
            (ProbeSizes{.channels = 32, .side = 48}));
}

TEST(ProbeSizes, AreSomeWhateverTheConfigSays) {
  const json::object configs[] = {
      {},
      {{"dim", "wide"}, {"sample_size", -1}},
      {{"block_out_channels", json::array{}}, {"sample_size", nullptr}},
      {{"num_attention_heads", 1 << 20}, {"attention_head_dim", 1 << 20}},
  };
  for (const auto& config : configs) {
    EXPECT_EQ(probe_sizes(config), ProbeSizes{}) << json::serialize(config);
  }
}

using Precisions = ToyPipelines;

TEST_F(Precisions, ATraitOfEveryModel) {
  for (const auto precision : {runtime::Precision::F32, runtime::Precision::Bf16}) {
    const auto own = runtime::Runtime::create({.precision = precision, .threads = 1}).value();
    for (const char* name : {"sd1", "sdxl", "sd3", "flux-dev", "z-image-turbo"}) {
      const auto pipeline = load_pipeline(name, toy(name), *own);
      ASSERT_TRUE(pipeline) << pipeline.error().message;
      EXPECT_EQ((*pipeline)->traits().precision, to_string(precision)) << name;
      // Reduced arithmetic rounds a larger batch otherwise.
      EXPECT_EQ((*pipeline)->rows_max({}), precision == runtime::Precision::F32 ? 8 : 1) << name;
    }
  }
}

}  // namespace
}  // namespace limner::pipelines
