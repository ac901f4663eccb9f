#include "codec/resize.hpp"

#include <gtest/gtest.h>

#include "codec/pixels.hpp"
#include "unit/codec/golden_files.hpp"
#include "unit/codec/test_images.hpp"

namespace limner::codec {
namespace {

using testing::golden_image;
using testing::largest_difference;
using testing::manifest;
using testing::number_of;
using testing::painted;
using testing::text_of;

ResizeFilter parse_filter(const std::string& name) {
  if (name == "nearest") return ResizeFilter::Nearest;
  if (name == "bilinear") return ResizeFilter::Bilinear;
  if (name == "bicubic") return ResizeFilter::Bicubic;
  return ResizeFilter::Lanczos;
}

TEST(Resize, gives_the_pixels_of_pillow) {
  const auto cases = manifest("resize");
  EXPECT_GE(cases.size(), 40u);
  for (const auto& entry : cases) {
    const auto file = text_of(entry, "expected");
    // The decoder gives grey as RGB; the grey path of the resampler is what is tested here.
    const bool is_grey = text_of(entry, "source") == "busy_grey.png";
    const auto load = [&](const std::string& name) {
      return is_grey ? to_grey(golden_image(name)) : golden_image(name);
    };
    const Image image = load(text_of(entry, "source"));
    const ImageSize size{number_of(entry, "width"), number_of(entry, "height")};
    const Image resized = resize(image, size, parse_filter(text_of(entry, "filter")));
    EXPECT_EQ(largest_difference(resized, load(file)), 0) << file;
  }
}

TEST(Resize, leaves_a_picture_of_the_right_size_alone) {
  const Image image = painted({9, 5}, 4);
  EXPECT_EQ(resize(image, {9, 5}, ResizeFilter::Lanczos).pixels, image.pixels);
}

TEST(Resize, keeps_a_flat_colour_flat) {
  const Image grey = Image::blank({13, 7}, 3, 201);
  for (const auto filter : {ResizeFilter::Nearest, ResizeFilter::Bilinear, ResizeFilter::Bicubic,
                            ResizeFilter::Lanczos}) {
    EXPECT_EQ(resize(grey, {40, 3}, filter).pixels, Image::blank({40, 3}, 3, 201).pixels);
  }
}

TEST(Resize, survives_extreme_shapes) {
  const Image line = painted({5'000, 1}, 3);
  EXPECT_EQ(resize(line, {1, 400}, ResizeFilter::Lanczos).size, (ImageSize{1, 400}));
  const Image dot = painted({1, 1}, 4);
  EXPECT_EQ(resize(dot, {70, 90}, ResizeFilter::Bicubic).size, (ImageSize{70, 90}));
}

}  // namespace
}  // namespace limner::codec
