#include "api/load_images.hpp"

#include <gmock/gmock.h>

#include "base/base64.hpp"
#include "codec/encode.hpp"

namespace limner::api {
namespace {

// Columns of rising red, so that every place can be told.
Image columns(ImageSize size, int channels = 3, std::uint8_t alpha = 255) {
  Image image = Image::blank(size, channels);
  for (int y = 0; y < size.height_px; ++y) {
    for (int x = 0; x < size.width_px; ++x) {
      auto* px = image.row(y) + x * channels;
      px[0] = static_cast<std::uint8_t>(10 * x);
      if (channels == 4) px[3] = x == 0 ? alpha : 255;
    }
  }
  return image;
}

OpenedImage opened(const Image& image, const std::string& field = "image") {
  auto file = codec::encode_image(image, {});
  EXPECT_TRUE(file);
  auto text = base64_encode(*file);
  auto result = OpenedImage::open({.field = field, .content = std::move(text)}, Limits{});
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return *std::move(result);
}

constexpr LoadOptions kOutpainting{
    .edit_type = EditType::Outpainting, .canvas = ImageSize{8, 6}, .mask_size = Fit::Refuse};

TEST(LoadImages, OutpaintingLaysThePictureInTheMiddleOfALargerSize) {
  const auto loaded = load_images(opened(columns({4, 4})), nullptr, kOutpainting, Limits{});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->image.size, (ImageSize{8, 6}));
  ASSERT_TRUE(loaded->mask);
  const auto& grey = loaded->mask->grey;
  // Kept: columns 2 to 5 of rows 1 to 4; all else is repainted.
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 8; ++x) {
      const bool is_kept = x >= 2 && x < 6 && y >= 1 && y < 5;
      EXPECT_EQ(grey.row(y)[x], is_kept ? 0 : 255) << x << "," << y;
    }
  }
  // The edges are drawn out.
  EXPECT_EQ(loaded->image.row(0)[0], 0);
  EXPECT_EQ(loaded->image.row(5)[3 * 3], 10);
  EXPECT_EQ(loaded->image.row(2)[7 * 3], 30);
}

TEST(LoadImages, OutpaintingPrefersTheTransparencyOfThePicture) {
  const auto loaded = load_images(opened(columns({4, 4}, 4, 0)), nullptr, kOutpainting, Limits{});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->image.size, (ImageSize{4, 4}));
  EXPECT_EQ(loaded->mask->grey.row(1)[0], 255);
  EXPECT_EQ(loaded->mask->grey.row(1)[1], 0);
}

TEST(LoadImages, OutpaintingNeedsSomethingToPaint) {
  for (const auto canvas : {ImageSize{4, 4}, ImageSize{2, 8}, ImageSize{99'999, 99'999}}) {
    auto options = kOutpainting;
    options.canvas = canvas;
    const auto loaded = load_images(opened(columns({4, 4})), nullptr, options, Limits{});
    ASSERT_FALSE(loaded) << to_string(canvas);
    EXPECT_EQ(loaded.error().param, "mask");
    EXPECT_EQ(loaded.error().code, "missing_required_parameter");
  }
}

TEST(LoadImages, AMaskOfAnotherSizeIsRefusedOrFittedByDialect) {
  const auto image = opened(columns({4, 4}));
  const auto mask = opened(Image::blank({2, 2}, 1, 255), "mask");
  EXPECT_EQ(load_images(image, &mask, {}, Limits{}).error().param, "mask");
  const auto fitted = load_images(image, &mask, {.mask_size = Fit::Adjust}, Limits{});
  ASSERT_TRUE(fitted);
  EXPECT_EQ(fitted->mask->grey.size, (ImageSize{4, 4}));
}

}  // namespace
}  // namespace limner::api
