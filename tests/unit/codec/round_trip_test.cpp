#include <cmath>

#include <gtest/gtest.h>

#include "codec/decode.hpp"
#include "codec/encode.hpp"
#include "codec/pixels.hpp"
#include "unit/codec/test_images.hpp"

namespace limner::codec {
namespace {

using testing::painted;

Image round_trip(const Image& image, const EncodeOptions& options) {
  const auto bytes = encode_image(image, options);
  EXPECT_TRUE(bytes) << bytes.error().message;
  if (!bytes) return {};
  auto back = decode_image(*bytes);
  EXPECT_TRUE(back) << back.error().message << ": " << back.error().detail;
  return back ? std::move(*back) : Image{};
}

double mean_difference(const Image& a, const Image& b) {
  if (a.pixels.size() != b.pixels.size()) return 255;
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

struct Case {
  ImageFormat format;
  int channels;
  ImageSize size;
};

class LosslessRoundTrip : public ::testing::TestWithParam<Case> {};

TEST_P(LosslessRoundTrip, gives_the_same_pixels) {
  const auto& [format, channels, size] = GetParam();
  const Image image = painted(size, channels);
  const Image back = round_trip(image, {.format = format});
  EXPECT_EQ(back.size, size);
  EXPECT_EQ(back.channels, channels == 1 ? 3 : channels);
  EXPECT_EQ(back.pixels, (channels == 1 ? to_rgb(image) : image).pixels);
}

INSTANTIATE_TEST_SUITE_P(
    Codec, LosslessRoundTrip,
    ::testing::Values(Case{ImageFormat::Png, 1, {33, 17}}, Case{ImageFormat::Png, 3, {33, 17}},
                      Case{ImageFormat::Png, 4, {33, 17}}, Case{ImageFormat::Png, 3, {1, 1}},
                      Case{ImageFormat::Png, 3, {1, 300}}, Case{ImageFormat::Webp, 1, {33, 17}},
                      Case{ImageFormat::Webp, 3, {33, 17}}, Case{ImageFormat::Webp, 4, {33, 17}},
                      Case{ImageFormat::Webp, 4, {1, 1}}, Case{ImageFormat::Webp, 3, {300, 1}}));

TEST(RoundTrip, lossy_formats_stay_close_and_shrink_with_quality) {
  const Image image = painted({128, 96}, 3);
  for (const auto format : {ImageFormat::Jpeg, ImageFormat::Webp}) {
    std::size_t smaller_size = 0;
    for (const int quality : {10, 50, 90}) {
      const auto bytes = encode_image(image, {.format = format, .quality = quality});
      ASSERT_TRUE(bytes);
      EXPECT_GT(bytes->size(), smaller_size) << to_string(format) << quality;
      smaller_size = bytes->size();
    }
    EXPECT_LT(mean_difference(round_trip(image, {.format = format, .quality = 90}), image), 8.0)
        << to_string(format);
  }
}

TEST(RoundTrip, jpeg_at_100_is_nearly_exact) {
  const Image image = painted({64, 64}, 3);
  EXPECT_LT(mean_difference(round_trip(image, {.format = ImageFormat::Jpeg}), image), 1.0);
}

TEST(EncodeImage, refuses_alpha_in_jpeg_unless_asked_to_flatten) {
  Image image = Image::blank({8, 8}, 4, 0);
  const auto refused = encode_image(image, {.format = ImageFormat::Jpeg});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "output_format");
  const Image white = round_trip(image, {.format = ImageFormat::Jpeg, .flattens_alpha = true});
  EXPECT_EQ(white.pixels, Image::blank({8, 8}, 3, 255).pixels);
}

TEST(EncodeImage, refuses_a_quality_outside_0_to_100) {
  for (const int quality : {-1, 101}) {
    const auto bytes =
        encode_image(painted({4, 4}, 3), {.format = ImageFormat::Jpeg, .quality = quality});
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().param, "output_compression");
  }
}

TEST(EncodeImage, refuses_sides_that_the_format_cannot_hold) {
  const Image image = Image::blank({16'384, 1}, 3);
  EXPECT_TRUE(encode_image(image, {.format = ImageFormat::Png}));
  EXPECT_TRUE(encode_image(image, {.format = ImageFormat::Jpeg}));
  const auto webp = encode_image(image, {.format = ImageFormat::Webp});
  ASSERT_FALSE(webp);
  EXPECT_EQ(webp.error().code, "image_too_large");
}

TEST(EncodeImage, is_deterministic) {
  const Image image = painted({64, 48}, 4);
  for (const auto format : {ImageFormat::Png, ImageFormat::Webp}) {
    EXPECT_EQ(*encode_image(image, {.format = format}), *encode_image(image, {.format = format}));
  }
}

}  // namespace
}  // namespace limner::codec
