#include "codec/decode.hpp"

#include <gtest/gtest.h>

#include "codec/encode.hpp"
#include "codec/errors.hpp"
#include "unit/codec/golden_files.hpp"
#include "unit/codec/test_images.hpp"

namespace limner::codec {
namespace {

using testing::golden_bytes;
using testing::golden_image;
using testing::largest_difference;
using testing::manifest;
using testing::number_of;
using testing::text_of;

TEST(DecodeImage, reads_what_other_programs_read) {
  const auto files = manifest("files");
  EXPECT_GE(files.size(), 50u);
  for (const auto& entry : files) {
    const auto name = text_of(entry, "file");
    const Image image = golden_image(name);
    const Image expected = golden_image(text_of(entry, "expected"));
    EXPECT_EQ(image.size, expected.size) << name;
    EXPECT_EQ(image.channels, expected.channels) << name;
    EXPECT_LE(largest_difference(image, expected), number_of(entry, "tolerance")) << name;
  }
}

TEST(ReadHeader, agrees_with_the_decoded_picture) {
  for (const auto& entry : manifest("files")) {
    const auto name = text_of(entry, "file");
    const auto header = read_header(golden_bytes(name));
    ASSERT_TRUE(header) << name << header.error().message;
    const Image image = golden_image(name);
    EXPECT_EQ(header->size, image.size) << name;
    EXPECT_EQ(header->channels, image.channels) << name;
    EXPECT_GE(header->decoding_size_bytes, image.pixels.size()) << name;
  }
}

TEST(ReadHeader, tells_depth_and_orientation) {
  EXPECT_EQ(read_header(golden_bytes("rgb16.png"))->bits, 16);
  EXPECT_EQ(read_header(golden_bytes("bits1.png"))->bits, 1);
  EXPECT_EQ(read_header(golden_bytes("orientation6.jpg"))->orientation, 6);
  EXPECT_EQ(read_header(golden_bytes("orientation8.webp"))->orientation, 8);
  EXPECT_EQ(read_header(golden_bytes("orientation3.png"))->orientation, 3);
}

TEST(DecodeImage, refuses_other_formats_and_animations) {
  for (const auto& entry : manifest("refused")) {
    const auto name = text_of(entry, "file");
    const auto image = decode_image(golden_bytes(name));
    ASSERT_FALSE(image) << name;
    EXPECT_EQ(image.error().code, text_of(entry, "code")) << name;
    EXPECT_EQ(image.error().kind, ErrorKind::InvalidArgument) << name;
  }
}

TEST(DecodeImage, refuses_files_cut_off_anywhere) {
  for (const auto* name : {"rgb.png", "adam7_rgba.png", "rgb16.png", "rgb.jpg", "progressive.jpg",
                           "cmyk.jpg", "lossless.webp", "lossy.webp", "lossy_alpha.webp"}) {
    const auto bytes = golden_bytes(name);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto image = decode_image(std::span(bytes).first(size));
      ASSERT_FALSE(image) << name << " cut to " << size << " of " << bytes.size();
      ASSERT_EQ(image.error().kind, ErrorKind::InvalidArgument);
    }
  }
}

TEST(DecodeImage, never_crashes_on_a_flipped_byte) {
  for (const auto* name : {"palette4.png", "rgba16.png", "progressive.jpg", "cmyk.jpg",
                           "orientation6.jpg", "lossless_alpha.webp", "lossy_alpha.webp"}) {
    const auto original = golden_bytes(name);
    for (std::size_t i = 0; i < original.size(); ++i) {
      auto bytes = original;
      bytes[i] ^= static_cast<std::uint8_t>(1u << i % 8);
      const auto image = decode_image(bytes, {.pixels_max = 1 << 20});
      EXPECT_TRUE(image || image.error().kind == ErrorKind::InvalidArgument) << name << i;
    }
  }
}

TEST(DecodeImage, keeps_library_texts_out_of_messages) {
  auto bytes = golden_bytes("rgb.png");
  bytes[bytes.size() - 30] ^= 0xff;
  const auto image = decode_image(bytes);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, "invalid_image");
  EXPECT_EQ(image.error().message, "the PNG file is damaged or cut off");
  EXPECT_FALSE(image.error().detail.empty());
}

TEST(DecodeImage, holds_callers_to_their_pixel_limit) {
  const auto bytes = golden_bytes("rgb.png");  // 20x14
  EXPECT_TRUE(decode_image(bytes, {.pixels_max = 280}));
  const auto image = decode_image(bytes, {.pixels_max = 279});
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, "image_too_large");
  const auto wide = decode_image(bytes, {.side_px_max = 19});
  ASSERT_FALSE(wide);
  EXPECT_EQ(wide.error().code, "image_too_large");
}

TEST(DecodeImage, refuses_more_metadata_than_the_limit) {
  Metadata metadata{.parameters = std::string(5'000, 'x')};
  for (const auto format : {ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Webp}) {
    const auto bytes =
        encode_image(testing::painted({8, 8}, 3), {.format = format, .metadata = metadata});
    ASSERT_TRUE(bytes);
    EXPECT_TRUE(decode_image(*bytes));
    const auto image = decode_image(*bytes, {.metadata_bytes_max = 4'000});
    ASSERT_FALSE(image) << to_string(format);
    EXPECT_EQ(image.error().code, "image_too_large");
  }
}

}  // namespace
}  // namespace limner::codec
