// How long pictures take to become files and text: the best of several runs, one thread.
//   bench_codec [picture files]      without files: a synthetic 512x512 picture with grain
#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/files.hpp"
#include "codec/decode.hpp"
#include "codec/encode.hpp"
#include "codec/resize.hpp"

namespace limner {
namespace {

using Clock = std::chrono::steady_clock;

// Smooth colour and noise of a few levels, which is about what a denoiser paints.
Image grainy_picture(ImageSize size) {
  Image image = Image::blank(size, 3);
  std::uint32_t state = 1;
  for (int y = 0; y < size.height_px; ++y) {
    for (int x = 0; x < size.width_px; ++x) {
      for (int c = 0; c < 3; ++c) {
        state = state * 1'664'525 + 1'013'904'223;
        const int grain = static_cast<int>(state >> 29) - 4;
        image.row(y)[x * 3 + c] =
            static_cast<std::uint8_t>(40 + (x + y * (c + 1)) / 8 % 170 + grain);
      }
    }
  }
  return image;
}

double best_ms(const std::function<void()>& work) {
  double best = 1e9;
  for (int run = 0; run < 7; ++run) {
    const auto begin = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  return best;
}

void report(std::string_view name, double ms, std::size_t size_bytes) {
  fmt::print("  {:<22} {:8.2f} ms  {:9} bytes\n", name, ms, size_bytes);
}

struct Setting {
  std::string_view name;
  codec::ImageFormat format;
  int quality;
};

void measure(const std::string& name, const Image& image) {
  fmt::print("{} ({}, {} channels)\n", name, to_string(image.size), image.channels);
  for (const auto& [setting, format, quality] :
       {Setting{"png", codec::ImageFormat::Png, 100},
        Setting{"jpeg 100", codec::ImageFormat::Jpeg, 100},
        Setting{"jpeg 85", codec::ImageFormat::Jpeg, 85},
        Setting{"webp 100 (lossless)", codec::ImageFormat::Webp, 100},
        Setting{"webp 85", codec::ImageFormat::Webp, 85}}) {
    std::vector<std::uint8_t> bytes;
    const codec::EncodeOptions options{
        .format = format, .quality = quality, .flattens_alpha = true};
    const double encode_ms = best_ms([&] { bytes = *codec::encode_image(image, options); });
    const double decode_ms = best_ms([&] { (void)codec::decode_image(bytes); });
    report(fmt::format("{} encode", setting), encode_ms, bytes.size());
    report(fmt::format("{} decode", setting), decode_ms, image.pixels.size());
  }
  const ImageSize half{std::max(1, image.size.width_px / 2), std::max(1, image.size.height_px / 2)};
  report("lanczos to half",
         best_ms([&] { (void)codec::resize(image, half, codec::ResizeFilter::Lanczos); }),
         image.pixels.size());
}

void measure_base64() {
  std::vector<std::uint8_t> bytes(1 << 20);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 167 >> 3);
  std::string text;
  fmt::print("base64\n");
  const double encode_ms = best_ms([&] { text = base64_encode(bytes); });
  report("encode 1 MiB", encode_ms, text.size());
  report("decode 1 MiB", best_ms([&] { (void)base64_decode(text); }), bytes.size());
}

}  // namespace
}  // namespace limner

int main(int argc, char** argv) {
  using namespace limner;
  measure_base64();
  if (argc < 2) measure("synthetic", grainy_picture({512, 512}));
  for (int i = 1; i < argc; ++i) {
    const auto text = read_file(argv[i], 64 << 20);
    const auto image =
        text ? codec::decode_image(
                   {reinterpret_cast<const std::uint8_t*>(text->data()), text->size()})
             : Result<Image>(text.error());
    if (!image) {
      fmt::print("{}: {}\n", argv[i], image.error().message);
      return 1;
    }
    measure(argv[i], *image);
  }
}
