#include "cutout/network_matting.hpp"

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "codec/resize.hpp"
#include "unit/cutout/scenes.hpp"

namespace limner::cutout {
namespace {

using testing::blob;
using testing::intersection_over_union;
using testing::make_scene;
using testing::mean_difference;
using testing::orange;
using testing::plain;

constexpr int kSidePx = 64;

// A network that knows the answer, at its own size.
EstimateAlpha knowing(const Image& alpha) {
  return [&alpha](const Image& rgb) -> Result<Plane> {
    EXPECT_EQ(rgb.size, (ImageSize{kSidePx, kSidePx}));
    const Image small = codec::resize(alpha, rgb.size, codec::ResizeFilter::Bilinear);
    Plane plane(rgb.size);
    for (std::size_t i = 0; i < small.pixels.size(); ++i) {
      plane.values[i] = 0.01f + 0.98f * static_cast<float>(small.pixels[i]) / 255;  // a sigmoid's
    }
    return plane;
  };
}

TEST(NetworkMatting, makes_edges_exact_at_full_size) {
  // Of unequal sides: the network sees it stretched.
  const auto scene =
      make_scene({480, 320}, plain({40, 90, 200}), orange(), blob(0.7, 0.5, 0.3, 1.5), 2);
  const NetworkMatting matting(knowing(scene.alpha), kSidePx, WhenUnsure::KeepMask);
  const auto alpha = matting.alpha(scene.picture);
  ASSERT_TRUE(alpha);
  EXPECT_EQ(alpha->size, scene.picture.size);
  EXPECT_GE(intersection_over_union(*alpha, scene.alpha), 0.985);
  EXPECT_LE(mean_difference(*alpha, scene.alpha), 1.5);
  // What the network alone would have given.
  const Image small = codec::resize(scene.alpha, {kSidePx, kSidePx}, codec::ResizeFilter::Bilinear);
  const Image coarse = codec::resize(small, scene.alpha.size, codec::ResizeFilter::Bilinear);
  EXPECT_LT(mean_difference(*alpha, scene.alpha), 0.5 * mean_difference(coarse, scene.alpha));
}

TEST(NetworkMatting, gives_the_networks_answer_at_its_own_size) {
  const auto scene =
      make_scene({kSidePx, kSidePx}, plain({200, 200, 200}), orange(), blob(0.5, 0.5, 0.3, 3));
  const auto alpha =
      NetworkMatting(knowing(scene.alpha), kSidePx, WhenUnsure::KeepMask).alpha(scene.picture);
  ASSERT_TRUE(alpha);
  // Clear and covered stay exactly so, though a sigmoid never says it.
  EXPECT_EQ(alpha->pixels.front(), 0);
  EXPECT_EQ(*std::max_element(alpha->pixels.begin(), alpha->pixels.end()), 255);
  EXPECT_LE(mean_difference(*alpha, scene.alpha), 1.5);
}

TEST(NetworkMatting, falls_back_when_the_network_cannot_run) {
  const auto scene = make_scene({320, 256}, plain({20, 20, 25}), orange(), blob(0.6, 0.5, 0.3));
  const NetworkMatting matting(
      [](const Image&) -> Result<Plane> {
        return Error{.kind = ErrorKind::Internal, .message = "no memory", .code = "test"};
      },
      kSidePx, WhenUnsure::KeepMask);
  const auto alpha = matting.alpha(scene.picture);
  ASSERT_TRUE(alpha);
  EXPECT_GE(intersection_over_union(*alpha, scene.alpha), 0.98);
}

// A network whose mask is `value` within the subject and nothing outside.
EstimateAlpha wavering(const Image& alpha, float value) {
  return [&alpha, value](const Image& rgb) -> Result<Plane> {
    const Image small = codec::resize(alpha, rgb.size, codec::ResizeFilter::Bilinear);
    Plane plane(rgb.size);
    for (std::size_t i = 0; i < small.pixels.size(); ++i) {
      plane.values[i] = small.pixels[i] > 127 ? value : 0;
    }
    return plane;
  };
}

TEST(NetworkMatting, asks_the_classical_method_when_it_wavers_or_finds_nothing) {
  const auto scene = make_scene({320, 256}, plain({20, 20, 25}), orange(), blob(0.5, 0.5, 0.3));
  const auto classical = ClassicalMatting().alpha(scene.picture);
  ASSERT_TRUE(classical);
  for (const float value : {0.0f, 0.3f, 0.6f, 0.9f}) {
    const auto estimate = wavering(scene.alpha, value);
    const NetworkMatting asks(estimate, kSidePx, WhenUnsure::UseClassical);
    const NetworkMatting keeps(estimate, kSidePx, WhenUnsure::KeepMask);
    EXPECT_EQ(asks.alpha(scene.picture)->pixels, classical->pixels) << value;
    EXPECT_NE(keeps.alpha(scene.picture)->pixels, classical->pixels) << value;
  }
}

TEST(NetworkMatting, keeps_a_mask_that_is_sure_though_the_classical_method_sees_otherwise) {
  const auto scene = make_scene({320, 256}, plain({20, 20, 25}), orange(), blob(0.5, 0.5, 0.3));
  // The network means another subject than the colours do.
  const auto other = make_scene({320, 256}, plain({20, 20, 25}), orange(), blob(0.3, 0.3, 0.2));
  const auto estimate = wavering(other.alpha, 1);
  const NetworkMatting asks(estimate, kSidePx, WhenUnsure::UseClassical);
  const NetworkMatting keeps(estimate, kSidePx, WhenUnsure::KeepMask);
  EXPECT_EQ(asks.alpha(scene.picture)->pixels, keeps.alpha(scene.picture)->pixels);
}

}  // namespace
}  // namespace limner::cutout
