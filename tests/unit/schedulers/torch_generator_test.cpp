#include "diffusion/schedulers/torch_generator.hpp"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden.hpp"

namespace limner::schedulers {
namespace {

TEST(TorchGenerator, DrawsTheNumbersOfTorchOverMixedSizesAndSeeds) {
  constexpr float kTolerance = 1e-6F;
  const auto golden = load_golden("randn.json");
  for (const auto& entry : golden.at("cases").as_array()) {
    const auto& seed = entry.at("seed").as_string();
    const auto number = std::stoull(std::string(seed));
    // Of larger ones torch takes the low half alone, which is not ours to repeat.
    if (number >> 32U) continue;
    TorchGenerator generator(number);
    const auto expected = floats_of(entry.at("numbers"));
    std::size_t position = 0;
    for (const auto& size_value : entry.at("sizes").as_array()) {
      std::vector<float> drawn(static_cast<std::size_t>(size_value.to_number<int>()));
      generator.randn(drawn);
      // Of a long draw the file holds both ends.
      if (drawn.size() > 1000) drawn.erase(drawn.begin() + 32, drawn.end() - 32);
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        ASSERT_NEAR(drawn[i], expected.at(position), kTolerance)
            << "seed " << seed << ", number " << position;
        ++position;
      }
    }
    EXPECT_EQ(position, expected.size());
  }
}

TEST(TorchGenerator, SeedsThatDifferOnlyAbove32BitsDrawDifferently) {
  std::set<std::vector<float>> draws;
  const std::uint64_t above = std::uint64_t{1} << 32U;
  const std::vector<std::uint64_t> seeds = {5, above + 5, 2 * above + 5, above - 1, ~0ULL};
  for (const std::uint64_t seed : seeds) {
    std::vector<float> drawn(20);
    TorchGenerator(seed).randn(drawn);
    draws.insert(drawn);
  }
  EXPECT_EQ(draws.size(), seeds.size());
}

TEST(TorchGenerator, ShortDrawsContinueWhereTheLastOneStopped) {
  std::vector<float> at_once(6);
  TorchGenerator(42).randn(at_once);
  TorchGenerator generator(42);
  for (const float expected : at_once) {
    float drawn = 0;
    generator.randn({&drawn, 1});
    EXPECT_EQ(drawn, expected);
  }
}

}  // namespace
}  // namespace limner::schedulers
