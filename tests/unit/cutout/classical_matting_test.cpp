#include "cutout/classical_matting.hpp"

#include <gtest/gtest.h>

#include "unit/cutout/scenes.hpp"

namespace limner::cutout {
namespace {

using testing::blob;
using testing::gradient;
using testing::intersection_over_union;
using testing::make_scene;
using testing::mean_difference;
using testing::orange;
using testing::plain;
using testing::texture;

constexpr ImageSize kSize{320, 256};

Image alpha_of(const Image& picture) {
  auto alpha = ClassicalMatting().alpha(picture);
  EXPECT_TRUE(alpha);
  EXPECT_EQ(alpha->size, picture.size);
  EXPECT_EQ(alpha->channels, 1);
  return std::move(*alpha);
}

TEST(ClassicalMatting, finds_a_subject_on_a_plain_background) {
  for (const auto& colour : {testing::Colour{255, 255, 255}, {20, 20, 25}, {90, 140, 220}}) {
    const auto scene = make_scene(kSize, plain(colour), orange(), blob(0.6, 0.5, 0.3));
    const Image alpha = alpha_of(scene.picture);
    EXPECT_GE(intersection_over_union(alpha, scene.alpha), 0.98);
    EXPECT_LE(mean_difference(alpha, scene.alpha), 2.0);
  }
}

TEST(ClassicalMatting, finds_a_subject_on_a_gradient) {
  const auto scene = make_scene(kSize, gradient(), orange(), blob(0.6, 0.5, 0.3));
  EXPECT_GE(intersection_over_union(alpha_of(scene.picture), scene.alpha), 0.97);
}

TEST(ClassicalMatting, finds_a_subject_on_a_texture) {
  const auto scene = make_scene(kSize, texture(), orange(), blob(0.6, 0.5, 0.3), 10);
  EXPECT_GE(intersection_over_union(alpha_of(scene.picture), scene.alpha), 0.93);
}

TEST(ClassicalMatting, keeps_soft_edges_soft) {
  const auto scene =
      make_scene(kSize, plain({240, 240, 240}), plain({40, 80, 160}), blob(0.6, 0.5, 0.3, 6), 0);
  EXPECT_LE(mean_difference(alpha_of(scene.picture), scene.alpha), 1.0);
}

TEST(ClassicalMatting, sees_through_a_ring) {
  const auto ring = [](double x, double y, double pixel) {
    const double r = std::hypot(x - 0.6, y - 0.5);
    return std::min(blob(0.6, 0.5, 0.35)(x, y, pixel), 0.5 + (r - 0.15) / (1.5 * pixel));
  };
  const auto scene = make_scene(kSize, plain({230, 235, 240}), orange(), ring);
  EXPECT_GE(intersection_over_union(alpha_of(scene.picture), scene.alpha), 0.97);
}

TEST(ClassicalMatting, follows_a_subject_that_stands_on_the_lower_edge) {
  const auto scene = make_scene(kSize, gradient(), orange(), blob(0.6, 0.95, 0.4));
  EXPECT_GE(intersection_over_union(alpha_of(scene.picture), scene.alpha), 0.95);
}

TEST(ClassicalMatting, keeps_everything_when_nothing_stands_out) {
  const auto flat = make_scene(kSize, plain({80, 80, 80}), plain({80, 80, 80}), blob(0, 0, 0));
  const auto sloped = make_scene(kSize, gradient(), gradient(), blob(0, 0, 0));
  for (const auto* scene : {&flat, &sloped}) {
    EXPECT_EQ(alpha_of(scene->picture).pixels, Image::blank(kSize, 1, 255).pixels);
  }
  EXPECT_EQ(alpha_of(Image::blank({64, 64}, 3, 0)).pixels, Image::blank({64, 64}, 1, 255).pixels);
}

TEST(ClassicalMatting, answers_for_pictures_of_any_shape) {
  for (const ImageSize size : {ImageSize{1, 1},
                               {1, 2},
                               {2, 1},
                               {2, 2},
                               {3, 3},
                               {1, 700},
                               {700, 1},
                               {5, 4},
                               {2'000, 3},
                               {17, 16}}) {
    const auto scene = make_scene(size, gradient(), orange(), blob(0.5, 0.5, 0.3), 30);
    EXPECT_EQ(alpha_of(scene.picture).size, size);
  }
}

TEST(ClassicalMatting, survives_pure_noise) {
  const auto scene = make_scene({200, 150}, plain({128, 128, 128}), orange(), blob(0, 0, 0), 300);
  EXPECT_EQ(alpha_of(scene.picture).size, (ImageSize{200, 150}));
}

TEST(ClassicalMatting, gives_the_same_answer_every_time) {
  const auto scene = make_scene(kSize, texture(), orange(), blob(0.6, 0.5, 0.3), 10);
  EXPECT_EQ(alpha_of(scene.picture).pixels, alpha_of(scene.picture).pixels);
}

}  // namespace
}  // namespace limner::cutout
