#include "weights/quantise.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/weights/toy_tensors.hpp"

namespace limner::weights {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

TEST(Quantise, NoWeightMovesByMoreThanHalfAStepOfItsRow) {
  std::mt19937 random(3);
  std::normal_distribution<float> gauss;
  // More than one block of rows, and a last one that is not full.
  constexpr std::int64_t kRows = 37;
  constexpr std::int64_t kColumns = 5000;
  std::vector<float> weights(kRows * kColumns);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = gauss(random) * std::exp(static_cast<float>(i / kColumns) - 20.0f);
  }
  const auto rows = quantise_rows(tensor_of({kRows, kColumns}, weights));
  ASSERT_TRUE(rows);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float scale = rows->scales[i / kColumns];
    const float kept = static_cast<float>(rows->values[i]) * scale;
    ASSERT_LE(std::abs(weights[i] - kept), scale * 0.50001f) << i;
  }
}

TEST(Quantise, TheLargestOfARowIs127OnItsSide) {
  const auto rows = quantise_rows(tensor_of({2, 3}, {1, -4, 2, 0.5f, 0, 0.25f}));
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->values, ElementsAre(32, -127, 64, 127, 0, 64));
  EXPECT_THAT(rows->scales, ElementsAre(4 / 127.0f, 0.5f / 127));
}

TEST(Quantise, RowsWithoutAnythingStayZero) {
  const auto rows = quantise_rows(tensor_of({2, 2}, {0, -0.0f, 1e-44f, -1e-40f}));
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->values, Each(0));
  EXPECT_THAT(rows->scales, Each(1));
}

TEST(Quantise, NumbersThatAreNotFiniteAreRefused) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_FALSE(quantise_rows(tensor_of({2, 2}, {1, 2, bad, 3})));
  }
}

TEST(Quantise, AMatrixMayBeEmpty) {
  for (const Shape& shape : {Shape{0, 4}, Shape{4, 0}}) {
    const auto rows = quantise_rows(tensor_of(shape, {}));
    ASSERT_TRUE(rows);
    EXPECT_TRUE(rows->values.empty());
  }
}

}  // namespace
}  // namespace limner::weights
