// Files that promise or unpack to far more than they hold. Each is refused, quickly and in little
// memory; peak memory is the process's own high-water mark.
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include "codec/decode.hpp"
#include "codec/encode.hpp"
#include "unit/codec/golden_files.hpp"
#include "unit/codec/test_images.hpp"

namespace limner::codec {
namespace {

using FileBytes = std::vector<std::uint8_t>;

void append_u32(FileBytes& out, std::size_t value) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

void append(FileBytes& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

void append_chunk(FileBytes& out, std::string_view type, const FileBytes& data) {
  append_u32(out, data.size());
  const std::size_t begin = out.size();
  append(out, type);
  out.insert(out.end(), data.begin(), data.end());
  append_u32(out, crc32(0, out.data() + begin, static_cast<uInt>(out.size() - begin)));
}

FileBytes png_head(std::size_t width, std::size_t height, int bits, int colour_type) {
  FileBytes out;
  append(out, std::string_view("\x89PNG\r\n\x1a\n", 8));
  FileBytes header;
  append_u32(header, width);
  append_u32(header, height);
  for (const int value : {bits, colour_type, 0, 0, 0}) {
    header.push_back(static_cast<std::uint8_t>(value));
  }
  append_chunk(out, "IHDR", header);
  return out;
}

FileBytes deflated_zeros(std::size_t size) {
  const FileBytes zeros(size);
  FileBytes out(compressBound(size));
  uLongf out_size = out.size();
  compress2(out.data(), &out_size, zeros.data(), size, 9);
  out.resize(out_size);
  return out;
}

FileBytes png_with(FileBytes head, const FileBytes& pixels) {
  append_chunk(head, "IDAT", pixels);
  append_chunk(head, "IEND", {});
  return head;
}

FileBytes png_of_50000_squared() {
  return png_with(png_head(50'000, 50'000, 8, 6), deflated_zeros(1'000'000));
}

FileBytes png_of_64_mpx_at_16_bits() {
  return png_with(png_head(8'192, 8'192, 16, 6), deflated_zeros(8'000'000));
}

// 1000 to 1, all of it beyond the last row: never unpacked.
FileBytes png_with_too_many_pixels_inside() {
  return png_with(png_head(16, 16, 8, 2), deflated_zeros(100'000'000));
}

FileBytes png_with_a_deflated_profile() {
  FileBytes head = png_head(16, 16, 8, 2);
  FileBytes profile;
  append(profile, std::string_view("p\0\0", 3));
  const auto zeros = deflated_zeros(50'000'000);
  profile.insert(profile.end(), zeros.begin(), zeros.end());
  append_chunk(head, "iCCP", profile);
  return png_with(std::move(head), deflated_zeros(3));
}

FileBytes png_that_promises_a_4_gib_profile() {
  FileBytes out = png_head(16, 16, 8, 2);
  append_u32(out, 0xffffffff);
  append(out, "iCCP");
  return out;
}

FileBytes png_with_a_million_texts() {
  FileBytes out = png_head(1, 1, 8, 2);
  for (int i = 0; i < 1'000'000; ++i) append_chunk(out, "tEXt", {'a', 0});
  return png_with(std::move(out), deflated_zeros(4));
}

// Patches the size in the frame header, which is all a bomb needs.
FileBytes jpeg_of(int width, int height) {
  auto out = testing::golden_bytes("progressive.jpg");
  for (std::size_t i = 2; i + 9 < out.size(); ++i) {
    if (out[i] != 0xff || out[i + 1] != 0xc2) continue;
    out[i + 5] = static_cast<std::uint8_t>(height >> 8);
    out[i + 6] = static_cast<std::uint8_t>(height);
    out[i + 7] = static_cast<std::uint8_t>(width >> 8);
    out[i + 8] = static_cast<std::uint8_t>(width);
    break;
  }
  return out;
}

// The last scan over and over.
FileBytes jpeg_with_endless_scans() {
  const auto original = testing::golden_bytes("progressive.jpg");
  std::vector<std::size_t> scans;
  for (std::size_t i = 2; i + 1 < original.size(); ++i) {
    if (original[i] == 0xff && original[i + 1] == 0xda) scans.push_back(i);
  }
  FileBytes out(original.begin(), original.end() - 2);
  const FileBytes repeated(original.begin() + static_cast<std::ptrdiff_t>(scans.back()),
                           original.end() - 2);
  for (int i = 0; i < 10'000; ++i) out.insert(out.end(), repeated.begin(), repeated.end());
  out.insert(out.end(), {0xff, 0xd9});
  return out;
}

FileBytes webp_of_16383_squared() {
  // A lossless header alone: 14 bits each of width - 1 and height - 1.
  FileBytes out;
  append(out,
         std::string_view("RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0", 30));
  return out;
}

FileBytes wrong_insides() {
  FileBytes out;
  append(out, std::string_view("\x89PNG\r\n\x1a\n", 8));
  const auto jpeg = testing::golden_bytes("rgb.jpg");
  out.insert(out.end(), jpeg.begin(), jpeg.end());
  return out;
}

#ifdef LIMNER_SANITIZED
constexpr double kSlowness = 20;
#else
constexpr double kSlowness = 1;
#endif

std::size_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

struct Bomb {
  std::string name;
  std::function<FileBytes()> make;
  bool must_fail = true;
};

void PrintTo(const Bomb& bomb, std::ostream* out) {
  *out << bomb.name;
}

class Bombs : public ::testing::TestWithParam<Bomb> {};

TEST_P(Bombs, are_refused_quickly_and_in_little_memory) {
  const auto bytes = GetParam().make();
  const std::size_t memory_before = peak_memory_bytes();
  // Processor time, so that a busy machine does not fail the test.
  const std::clock_t begin = std::clock();
  // What a model that paints 1024x1024 would allow.
  const auto image = decode_image(bytes, {.pixels_max = 4 << 20});
  const double elapsed_ms = 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  EXPECT_EQ(image.has_value(), !GetParam().must_fail);
  EXPECT_TRUE(image || image.error().kind == ErrorKind::InvalidArgument);
  EXPECT_LT(elapsed_ms, 250.0 * kSlowness);
  EXPECT_LT(peak_memory_bytes() - memory_before, 128u << 20);
}

INSTANTIATE_TEST_SUITE_P(
    Codec, Bombs,
    ::testing::Values(Bomb{"png 50000 squared", png_of_50000_squared},
                      Bomb{"png 64 Mpx", png_of_64_mpx_at_16_bits},
                      Bomb{"png with more inside", png_with_too_many_pixels_inside, false},
                      Bomb{"png deflated profile", png_with_a_deflated_profile},
                      Bomb{"png 4 GiB profile", png_that_promises_a_4_gib_profile},
                      Bomb{"png texts", png_with_a_million_texts},
                      Bomb{"jpeg 65500 squared", [] { return jpeg_of(65'500, 65'500); }},
                      Bomb{"jpeg 16384 squared", [] { return jpeg_of(16'384, 16'384); }},
                      Bomb{"jpeg 2048 squared", [] { return jpeg_of(2'048, 2'048); }},
                      Bomb{"jpeg without height", [] { return jpeg_of(64, 0); }},
                      Bomb{"jpeg scans", jpeg_with_endless_scans},
                      Bomb{"webp 16383 squared", webp_of_16383_squared},
                      Bomb{"jpeg called png", wrong_insides}));

}  // namespace
}  // namespace limner::codec
