#include "codec/metadata.hpp"

#include <gtest/gtest.h>

#include "codec/encode.hpp"
#include "codec/exif.hpp"
#include "unit/codec/golden_files.hpp"
#include "unit/codec/test_images.hpp"

namespace limner::codec {
namespace {

using testing::golden_bytes;
using testing::painted;

constexpr ImageFormat kFormats[] = {ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Webp};

void expect_round_trip(const Metadata& metadata, int quality = 100) {
  for (const auto format : kFormats) {
    const auto bytes = encode_image(painted({16, 8}, 3),
                                    {.format = format, .quality = quality, .metadata = metadata});
    ASSERT_TRUE(bytes) << bytes.error().message;
    const auto back = read_metadata(*bytes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->parameters, metadata.parameters) << to_string(format);
    EXPECT_EQ(back->json, metadata.json) << to_string(format);
    EXPECT_TRUE(decode_image(*bytes)) << to_string(format);
  }
}

TEST(Metadata, comes_back_from_every_format) {
  expect_round_trip({.parameters = "a cat\nSteps: 20, Seed: 7", .json = R"({"seed":7})"});
}

TEST(Metadata, comes_back_beyond_ascii) {
  expect_round_trip({.parameters = "ein Käfer, 猫, 🐈", .json = R"({"prompt":"猫 🐈"})"});
}

TEST(Metadata, comes_back_alone) {
  expect_round_trip({.parameters = "only this"});
  expect_round_trip({.json = R"({"only":"this"})"});
  expect_round_trip({});
}

TEST(Metadata, comes_back_from_lossy_webp) {
  expect_round_trip({.parameters = "p", .json = "{}"}, 80);
}

TEST(Metadata, comes_back_when_longer_than_a_jpeg_segment) {
  std::string prompt;
  for (int i = 0; prompt.size() < 130'000; ++i) prompt += std::to_string(i) + " 猫 ";
  expect_round_trip({.parameters = prompt, .json = R"({"prompt":")" + prompt + "\"}"});
}

TEST(Metadata, reads_files_of_stable_diffusion_webui) {
  EXPECT_EQ(read_metadata(golden_bytes("webui.png"))->parameters,
            "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1");
  EXPECT_EQ(read_metadata(golden_bytes("webui.jpg"))->parameters, "a café 🐈\nSteps: 20");
  EXPECT_EQ(read_metadata(golden_bytes("webui.webp"))->parameters, "a café 🐈\nSteps: 20");
}

TEST(Metadata, is_empty_for_pictures_without_any) {
  for (const auto* name : {"rgb.png", "rgb.jpg", "lossless.webp", "orientation6.jpg"}) {
    const auto metadata = read_metadata(golden_bytes(name));
    ASSERT_TRUE(metadata) << name;
    EXPECT_EQ(metadata->parameters + metadata->json, "") << name;
  }
}

TEST(Exif, survives_every_cut_and_flipped_byte) {
  const auto exif = make_exif("settings", "{}");
  EXPECT_EQ(exif_user_comment(exif), "settings");
  EXPECT_EQ(exif_image_description(exif), "{}");
  for (std::size_t i = 0; i < exif.size(); ++i) {
    exif_user_comment(std::span(exif).first(i));
    exif_image_description(std::span(exif).first(i));
    EXPECT_EQ(exif_orientation(std::span(exif).first(i)), 1);
    auto flipped = exif;
    flipped[i] ^= 0xff;
    exif_user_comment(flipped);
    exif_image_description(flipped);
    exif_orientation(flipped);
  }
}

}  // namespace
}  // namespace limner::codec
