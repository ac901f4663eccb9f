// Prompts with weights and of more than one window, against what diffusers paints of embeds that an
// independent reading of the same text gave (tools/golden/make_long_prompts.py).
#include <gtest/gtest.h>

#include "parity/check_case.hpp"
#include "parity/manifest.hpp"
#include "parity/painting.hpp"

namespace limner::parity {
namespace {

class LongPrompt : public testing::TestWithParam<const char*> {};

TEST_P(LongPrompt, PaintsWhatDiffusersPaintsOfItsEmbeds) {
  const auto model = load_model(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  const auto manifest = read_manifest(data_dir() / "prompts.json");
  for (const Case& c : manifest.at(GetParam())) check_case(*model->pipeline, c);
}

TEST_P(LongPrompt, IsRefusedWhereTheOperatorDoesNotAllowIt) {
  const auto model = load_model(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  auto request = read_manifest(data_dir() / "prompts.json").at(GetParam()).at(5).request;
  request.truncates_prompt = false;
  EXPECT_TRUE(model->pipeline->check(request));
  request.prompt_reading.chunks_max = 1;
  const auto refused = model->pipeline->check(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "prompt_too_long");
}

TEST_P(LongPrompt, RowsOfOneCallAreOfOneLength) {
  const auto model = load_model(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  const auto cases = read_manifest(data_dir() / "prompts.json").at(GetParam());
  const auto length_of = [&](std::size_t i) {
    return model->pipeline->batch_shape(cases.at(i).request).key.sequence_length;
  };
  EXPECT_EQ(length_of(0), 77);
  EXPECT_EQ(length_of(5), 3 * 77);
  EXPECT_EQ(length_of(6), 3 * 77) << "a long negative prompt";
  EXPECT_EQ(length_of(7), 2 * 77) << "BREAK";
}

INSTANTIATE_TEST_SUITE_P(Toys, LongPrompt, testing::Values("sd1", "sd2-v", "sdxl"),
                         [](const auto& toy) {
                           return test_name({toy.param, toy.index});
                         });

}  // namespace
}  // namespace limner::parity
