#include "weights/finite.hpp"

#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "base/finite.hpp"
#include "toy_tensors.hpp"

namespace limner::weights {
namespace {

template <typename T>
TensorView raw(DType dtype, const std::vector<T>& values) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(values.size() * sizeof(T));
  std::memcpy(bytes->data(), values.data(), bytes->size());
  return {.dtype = dtype,
          .shape = {static_cast<std::int64_t>(values.size())},
          .bytes = *bytes,
          .owner = bytes};
}

TEST(FindUnusable, FindsTheFirstOfManyWhereverItIs) {
  const float kBad[] = {NAN, -NAN, INFINITY, -INFINITY, 1e38f, -1e38f, 0x1p64f};
  for (const std::size_t place : {0u, 1u, 4095u, 4096u, 9999u}) {
    for (const float bad : kBad) {
      std::vector<float> values(10'000, -0.5f);
      EXPECT_FALSE(find_unusable(tensor_of({10'000}, values)));
      values[place] = bad;
      EXPECT_EQ(find_unusable(tensor_of({10'000}, values)), place) << bad;
    }
  }
}

TEST(FindUnusable, TakesAllThatArithmeticCanGoOnWith) {
  EXPECT_FALSE(find_unusable(tensor_of({5}, {0, -0.0f, 1e-45f, 1e19f, -0x1.fffffep63f})));
  EXPECT_FALSE(find_unusable(tensor_of({0}, {})));
  EXPECT_FALSE(find_unusable(raw<std::uint16_t>(DType::F16, {0x7bff, 0xfbff})));  // 65504
  EXPECT_FALSE(find_unusable(raw<std::uint8_t>(DType::F8E4M3, {0x7e, 0xfe})));    // 448
  EXPECT_FALSE(find_unusable(raw<std::int64_t>(DType::I64, {-1})));
}

TEST(FindUnusable, KnowsWhatIsNoNumberInEveryDtype) {
  EXPECT_EQ(find_unusable(raw<double>(DType::F64, {1, 1e300})), 1u);
  EXPECT_EQ(find_unusable(raw<double>(DType::F64, {1, NAN})), 1u);
  for (const std::uint16_t bad : {0x7c00, 0xfc00, 0x7e00, 0xffff}) {
    EXPECT_EQ(find_unusable(raw<std::uint16_t>(DType::F16, {0, bad})), 1u);
  }
  for (const std::uint16_t bad : {0x7f80, 0xff80, 0x7fc0, 0x7e96}) {  // the last is 1e38
    EXPECT_EQ(find_unusable(raw<std::uint16_t>(DType::BF16, {0, bad})), 1u);
  }
  EXPECT_EQ(find_unusable(raw<std::uint8_t>(DType::F8E4M3, {0, 0xff})), 1u);
  EXPECT_EQ(find_unusable(raw<std::uint8_t>(DType::F8E5M2, {0, 0x7c})), 1u);
}

TEST(AreUsable, AgreesOnFloats) {
  EXPECT_TRUE(are_usable(std::vector<float>{0, -1, 1e19f}));
  for (const float bad : {NAN, INFINITY, -INFINITY, -1e38f}) {
    EXPECT_FALSE(are_usable(std::vector<float>{0, bad, 1}));
  }
  EXPECT_TRUE(are_usable({}));
}

}  // namespace
}  // namespace limner::weights
