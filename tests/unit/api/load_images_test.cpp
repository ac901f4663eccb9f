#include "api/load_images.hpp"

#include <fmt/format.h>
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

constexpr LoadOptions kOutpainting{.edit_type = EditType::Outpainting,
                                   .repaints_hole = true,
                                   .canvas = ImageSize{8, 6},
                                   .mask_size = Fit::Refuse};

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

Result<OpenedImage> open_text(std::string text) {
  return OpenedImage::open({.field = "image", .content = std::move(text)}, Limits{});
}

std::string percent_encoded(std::string_view text, bool every_byte) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = !every_byte && c != '+' && c != '/' && c != '=';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

TEST(OpenedImages, AreReadFromTextInEverySpelling) {
  const auto file = *codec::encode_image(columns({4, 4}), {});
  const auto base64 = base64_encode(file);
  const std::string bytes(file.begin(), file.end());
  for (const auto& text :
       {base64, "\n " + base64 + "\r\n", "data:image/png;base64," + base64,
        "DATA:image/PNG;BASE64," + base64, "  data:image/png;base64," + base64,
        "data:;base64," + base64, "data:image/png;charset=utf-8;base64," + base64,
        "data:image/png;base64, " + base64,
        "data:image/png;base64," + percent_encoded(base64, false),
        "data:image/png," + percent_encoded(bytes, true)}) {
    const auto opened = open_text(text);
    ASSERT_TRUE(opened) << text.substr(0, 40) << opened.error().message;
    EXPECT_EQ(opened->header().size, (ImageSize{4, 4}));
  }
}

TEST(OpenedImages, WhatIsNoneIsSaid) {
  EXPECT_EQ(open_text("data:image/png,abc").error().code, "invalid_image");
  EXPECT_EQ(open_text("data:image/png;base64").error().code, "invalid_image");
  EXPECT_EQ(open_text("data:image/png;base64,%%%").error().code, "invalid_base64");
  EXPECT_EQ(open_text("HTTP://127.0.0.1/a.png").error().code, "remote_image_not_allowed");
}

TEST(LoadImages, ColoursUnderTransparentPixelsAreNotUsed) {
  Image hidden = columns({4, 4}, 4, 0);
  hidden.row(0)[0] = hidden.row(1)[1] = 200;
  const auto loaded = load_images(opened(hidden), nullptr, {}, Limits{});
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->mask);
  for (int y = 0; y < 4; ++y) {
    for (int c = 0; c < 3; ++c) EXPECT_EQ(loaded->image.row(y)[c], 255);
    EXPECT_EQ(loaded->image.row(y)[2 * 3], 20);
  }
}

TEST(LoadImages, AHoleIsAMaskWhereItIsMeantAsOne) {
  const auto picture = opened(columns({4, 4}, 4, 0));
  const auto holed = load_images(picture, nullptr, {.repaints_hole = true}, Limits{});
  ASSERT_TRUE(holed && holed->mask);
  EXPECT_EQ(holed->mask->grey.row(1)[0], 255);
  EXPECT_EQ(holed->mask->grey.row(1)[1], 0);
  const auto whole =
      load_images(opened(columns({4, 4})), nullptr, {.repaints_hole = true}, Limits{});
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->mask);
}

}  // namespace
}  // namespace limner::api
