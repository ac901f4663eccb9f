#include <cstdlib>

#include <gtest/gtest.h>

#include "cutout/classical_matting.hpp"
#include "unit/cutout/scenes.hpp"

namespace limner::cutout {
namespace {

using testing::blob;
using testing::make_scene;
using testing::plain;

// Knows the answer.
class GivenMatting final : public Matting {
 public:
  explicit GivenMatting(Image alpha) : alpha_(std::move(alpha)) {}
  std::string_view name() const override { return "given"; }
  Result<Image> alpha(const Image&) const override { return alpha_; }

 private:
  Image alpha_;
};

class FailingMatting final : public Matting {
 public:
  std::string_view name() const override { return "failing"; }
  Result<Image> alpha(const Image&) const override {
    return Error{.kind = ErrorKind::Unavailable, .message = "no network"};
  }
};

constexpr ImageSize kSize{160, 128};

TEST(CutOut, leaves_no_background_colour_at_soft_edges) {
  const auto scene =
      make_scene(kSize, plain({0, 255, 0}), plain({200, 40, 60}), blob(0.6, 0.5, 0.3, 8), 0);
  const auto result = cut_out(scene.picture, GivenMatting(scene.alpha));
  ASSERT_TRUE(result);
  ASSERT_EQ(result->channels, 4);
  // Laid on any other background, nothing is off by more than a few of 215 levels.
  const int expected[] = {200, 40, 60};
  int soft_count = 0;
  for (std::size_t i = 0; i < result->pixels.size(); i += 4) {
    const auto* pixel = result->pixels.data() + i;
    soft_count += pixel[3] > 0 && pixel[3] < 255;
    for (int c = 0; c < 3; ++c) {
      ASSERT_LE(std::abs(pixel[c] - expected[c]) * pixel[3] / 255, 8) << i / 4;
    }
  }
  EXPECT_GT(soft_count, 200);
}

// Sees the picture that it is asked about.
class SeeingMatting final : public Matting {
 public:
  std::string_view name() const override { return "seeing"; }
  Result<Image> alpha(const Image& image) const override {
    seen = image;
    return Image::blank(image.size, 1, 255);
  }
  mutable Image seen;
};

TEST(CutOut, does_not_use_colours_under_transparent_pixels) {
  Image one = Image::blank({16, 16}, 4, 40);  // nearly transparent grey
  Image other = one;
  for (std::size_t i = 0; i < one.pixels.size() / 2; i += 4) {
    one.pixels[i + 3] = other.pixels[i + 3] = 0;
    one.pixels[i] = 255;
    other.pixels[i + 1] = 99;
  }
  const SeeingMatting matting;
  const auto first = cut_out(one, matting);
  const auto seen = matting.seen;
  const auto second = cut_out(other, matting);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(seen.pixels, matting.seen.pixels);
  EXPECT_EQ(first->pixels, second->pixels);
}

TEST(CutOut, keeps_opaque_pixels_as_they_are) {
  const auto scene = make_scene(kSize, plain({9, 9, 9}), testing::orange(), blob(0.6, 0.5, 0.3));
  const auto result = cut_out(scene.picture, ClassicalMatting());
  ASSERT_TRUE(result);
  for (std::size_t i = 0; i < scene.alpha.pixels.size(); ++i) {
    if (result->pixels[i * 4 + 3] != 255) continue;
    for (std::size_t c = 0; c < 3; ++c) {
      ASSERT_EQ(result->pixels[i * 4 + c], scene.picture.pixels[i * 3 + c]);
    }
  }
}

TEST(CutOut, only_ever_shrinks_the_alpha_that_is_there) {
  Image rgba = Image::blank(kSize, 4, 200);
  for (std::size_t i = 3; i < rgba.pixels.size(); i += 8) rgba.pixels[i] = 10;
  const auto result = cut_out(rgba, GivenMatting(Image::blank(kSize, 1, 255)));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->pixels, rgba.pixels);
}

TEST(CutOut, takes_grey_pictures) {
  const auto result = cut_out(Image::blank({8, 8}, 1, 50), ClassicalMatting());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->channels, 4);
}

TEST(CutOut, hands_on_what_the_matting_says_went_wrong) {
  const auto result = cut_out(Image::blank({8, 8}, 3), FailingMatting());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "no network");
}

TEST(CutOut, survives_all_clear_and_all_opaque_answers) {
  for (const std::uint8_t alpha : {0, 128, 255}) {
    for (const ImageSize size : {ImageSize{1, 1}, {31, 7}}) {
      const auto result =
          cut_out(Image::blank(size, 3, 90), GivenMatting(Image::blank(size, 1, alpha)));
      ASSERT_TRUE(result);
      EXPECT_EQ(result->pixels[3], alpha);
    }
  }
}

TEST(CutOut, large_pictures_are_searched_on_a_copy_and_keep_exact_edges) {
  // Of no whole factor in either side.
  const auto scene = make_scene({2'611, 1'803}, plain({40, 90, 200}), testing::orange(),
                                blob(0.7, 0.5, 0.3, 2), 2);
  class Watching final : public Matting {
   public:
    std::string_view name() const override { return "watching"; }
    Result<Image> alpha(const Image& rgb) const override {
      EXPECT_EQ(std::max(rgb.size.width_px, rgb.size.height_px), CutOut::kWorkSidePx);
      return ClassicalMatting().alpha(rgb);
    }
  };
  const auto result = cut_out(scene.picture, Watching());
  ASSERT_TRUE(result);
  Image alpha = Image::blank(scene.alpha.size, 1);
  for (std::size_t i = 0; i < alpha.pixels.size(); ++i) {
    alpha.pixels[i] = result->pixels[i * 4 + 3];
  }
  EXPECT_GE(testing::intersection_over_union(alpha, scene.alpha), 0.99);
  EXPECT_LE(testing::mean_difference(alpha, scene.alpha), 1.0);
}

TEST(CutOut, works_in_pieces_whose_number_is_known_before) {
  for (const ImageSize size :
       {ImageSize{1, 1}, {300, 200}, {1'500, 1'024}, {3'000, 2'999}, {1, 5'000}, {9'000, 2}}) {
    const ClassicalMatting matting;
    CutOut work(std::make_shared<const Image>(Image::blank(size, 3, 90)), matting);
    int steps = 0;
    for (; !work.is_finished(); ++steps) {
      EXPECT_EQ(work.step_index(), steps);
      ASSERT_TRUE(work.step());
    }
    EXPECT_EQ(steps, CutOut::step_count_of(size));
    EXPECT_EQ(work.take().size, size);
  }
  EXPECT_GE(CutOut::step_count_of({8'192, 8'192}), 64);
}

}  // namespace
}  // namespace limner::cutout
