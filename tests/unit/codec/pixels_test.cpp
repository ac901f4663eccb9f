#include "codec/pixels.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "unit/codec/golden_files.hpp"
#include "unit/codec/test_images.hpp"

namespace limner::codec {
namespace {

using testing::golden_image;
using testing::painted;

TEST(Pixels, grey_is_pillows_luma) {
  const Image grey = to_grey(golden_image("busy_rgb.png"));
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(to_rgb(grey).pixels, golden_image("busy_rgb_to_grey.png").pixels);
}

TEST(Pixels, flattening_mixes_with_the_background) {
  Image image{
      .size = {3, 1}, .channels = 4, .pixels = {10, 20, 30, 0, 10, 20, 30, 255, 0, 0, 0, 128}};
  const Image flat = flatten_alpha(image, 200, 100, 50);
  EXPECT_EQ(flat.pixels, (std::vector<std::uint8_t>{200, 100, 50, 10, 20, 30, 100, 50, 25}));
}

TEST(Pixels, flattening_keeps_equal_colours_at_every_alpha) {
  for (int alpha = 0; alpha < 256; ++alpha) {
    const auto a = static_cast<std::uint8_t>(alpha);
    const Image image{.size = {1, 1}, .channels = 4, .pixels = {77, 77, 77, a}};
    EXPECT_EQ(flatten_alpha(image, 77, 77, 77).pixels, (std::vector<std::uint8_t>{77, 77, 77}));
  }
}

TEST(Pixels, alpha_is_put_beside_the_colours_or_in_place_of_another) {
  const Image alpha{.size = {2, 1}, .channels = 1, .pixels = {7, 8}};
  const std::vector<std::uint8_t> expected{1, 2, 3, 7, 4, 5, 6, 8};
  const Image rgb{.size = {2, 1}, .channels = 3, .pixels = {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(with_alpha(rgb, alpha).pixels, expected);
  const Image rgba{.size = {2, 1}, .channels = 4, .pixels = {1, 2, 3, 0, 4, 5, 6, 255}};
  EXPECT_EQ(with_alpha(rgba, alpha).pixels, expected);
}

TEST(Pixels, padding_surrounds_the_picture) {
  const Image image = painted({11, 6}, 3);
  const Image padded = pad(image, {.left_px = 2, .top_px = 3, .right_px = 4, .bottom_px = 5}, 9);
  EXPECT_EQ(padded.size, (ImageSize{17, 14}));
  EXPECT_EQ(padded.pixels.front(), 9);
  EXPECT_EQ(padded.pixels.back(), 9);
  for (int y = 0; y < 6; ++y) {
    EXPECT_TRUE(std::equal(image.row(y), image.row(y) + image.row_size_bytes(),
                           padded.row(3 + y) + 2 * padded.channels))
        << y;
  }
}

}  // namespace
}  // namespace limner::codec
