#include "core/image.hpp"

#include <gtest/gtest.h>

namespace limner {
namespace {

TEST(ImageSizeText, IsReadInEverySpellingThatPeopleUse) {
  for (const auto* text : {"512x768", "512X768", "512*768", "512\u00d7768", "512 x 768",
                           " 512 \u00d7 768 ", "512X 768", "0512x768"}) {
    EXPECT_EQ(parse_image_size(text), (ImageSize{.width_px = 512, .height_px = 768})) << text;
  }
}

TEST(ImageSizeText, OfAnythingElseIsNone) {
  for (const auto* text : {"", "512", "x", "512x", "x512", "512 512", "512xx512", "512x512x512",
                           "512x*512", "-512x512", "+512x512", "0x512", "512x0", "512x100000",
                           "5 12x512", "512.0x512", "512,512", "512x512px", "auto"}) {
    EXPECT_FALSE(parse_image_size(text)) << text;
  }
}

}  // namespace
}  // namespace limner
