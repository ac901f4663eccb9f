#include "codec/pixels.hpp"

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

TEST(Pixels, alpha_can_be_taken_out_and_put_back) {
  const Image image = painted({17, 9}, 4);
  const Image alpha = extract_alpha(image);
  EXPECT_EQ(alpha.channels, 1);
  EXPECT_EQ(with_alpha(to_rgb(image), alpha).pixels, image.pixels);
  EXPECT_EQ(extract_alpha(painted({4, 4}, 3)).pixels, Image::blank({4, 4}, 1, 255).pixels);
}

TEST(Pixels, cropping_undoes_padding) {
  const Image image = painted({11, 6}, 3);
  const Image padded = pad(image, {.left_px = 2, .top_px = 3, .right_px = 4, .bottom_px = 5}, 9);
  EXPECT_EQ(padded.size, (ImageSize{17, 14}));
  EXPECT_EQ(padded.pixels.front(), 9);
  EXPECT_EQ(padded.pixels.back(), 9);
  EXPECT_EQ(crop(padded, {.left_px = 2, .top_px = 3, .size = {11, 6}}).pixels, image.pixels);
}

}  // namespace
}  // namespace limner::codec
