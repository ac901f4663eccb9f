#include "router/key_pool.hpp"

#include <array>
#include <random>

#include <gtest/gtest.h>

namespace limner::router {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow = TimePoint{} + 1h;

KeyPool three_keys() {
  return KeyPool({{.name = "main", .weight = 3},
                  {.name = "spare", .weight = 1, .models = {"gpt-image-1.5"}},
                  {.name = "only-pinned", .weight = 0, .models = {"*"}, .blocked_models = {"x"}}});
}

TEST(KeyPool, KeysAreDrawnByTheirWeights) {
  const auto pool = three_keys();
  std::mt19937 generator(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::array<int, 3> counts{};
  for (int i = 0; i < 4000; ++i) {
    const auto key = pool.draw({.model = "gpt-image-1.5", .random = uniform(generator)}, kNow);
    ASSERT_TRUE(key);
    ++counts[*key];
  }
  EXPECT_NEAR(counts[0], 3000, 150);
  EXPECT_NEAR(counts[1], 1000, 150);
  EXPECT_EQ(counts[2], 0);
}

TEST(KeyPool, OnlyKeysForTheModelAreDrawn) {
  const auto pool = three_keys();
  EXPECT_EQ(pool.draw({.model = "other", .random = 0.999}, kNow), 0u);
}

TEST(KeyPool, ARestingKeyIsNotDrawnUntilItsTimeIsOver) {
  auto pool = three_keys();
  pool.rest(0, kNow + 60s);
  pool.rest(0, kNow + 10s);  // does not shorten it
  EXPECT_EQ(pool.draw({.model = "other"}, kNow + 59s), std::nullopt);
  EXPECT_EQ(pool.draw({.model = "other"}, kNow + 60s), 0u);
}

TEST(KeyPool, AUsedKeyIsNotDrawnAgain) {
  const auto pool = three_keys();
  const std::vector<std::size_t> used{0};
  EXPECT_EQ(pool.draw({.model = "gpt-image-1.5", .used = &used, .random = 0}, kNow), 1u);
  const std::vector<std::size_t> both{0, 1};
  EXPECT_EQ(pool.draw({.model = "gpt-image-1.5", .used = &both}, kNow), std::nullopt);
}

TEST(KeyPool, APinnedKeyIsThatOneOrNone) {
  auto pool = three_keys();
  EXPECT_EQ(pool.draw({.model = "y", .pinned = "only-pinned"}, kNow), 2u);
  EXPECT_EQ(pool.draw({.model = "x", .pinned = "only-pinned"}, kNow), std::nullopt);
  EXPECT_EQ(pool.draw({.model = "y", .pinned = "no such key"}, kNow), std::nullopt);
  pool.rest(2, kNow + 1s);
  EXPECT_EQ(pool.draw({.model = "y", .pinned = "only-pinned"}, kNow), std::nullopt);
}

TEST(KeyPool, ASessionKeepsItsKeyAndSessionsSpread) {
  const auto pool = three_keys();
  std::array<int, 3> counts{};
  for (int i = 0; i < 400; ++i) {
    const auto session = "session-" + std::to_string(i);
    const auto first = pool.draw({.model = "gpt-image-1.5", .session = session, .random = 0}, kNow);
    const auto second =
        pool.draw({.model = "gpt-image-1.5", .session = session, .random = 0.99}, kNow);
    ASSERT_EQ(first, second);
    ++counts[*first];
  }
  EXPECT_GT(counts[0], 200);
  EXPECT_GT(counts[1], 40);
}

TEST(KeyPool, AProviderWithoutKeysHasNone) {
  EXPECT_EQ(KeyPool({}).draw({.model = "m"}, kNow), std::nullopt);
}

}  // namespace
}  // namespace limner::router
