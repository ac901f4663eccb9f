#include "diffusion/pipelines/preview_decoder.hpp"

#include <cstddef>
#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

#include "diffusion/schedulers/torch_generator.hpp"

namespace limner::pipelines {
namespace {

constexpr LatentShape kShape{.channels = 4, .height = 8, .width = 12};
constexpr int kScale = 8;

std::vector<float> random_latents(std::uint64_t seed) {
  std::vector<float> latents(static_cast<std::size_t>(4 * 8 * 12));
  schedulers::TorchGenerator(seed).randn(latents);
  return latents;
}

// A decoder that is linear: each colour one channel of the latent, in flat blocks.
std::vector<float> flat_decode(const std::vector<float>& latents) {
  const int width = kShape.width * kScale;
  const int height = kShape.height * kScale;
  std::vector<float> pixels;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int i = (c * kShape.height + y / kScale) * kShape.width + x / kScale;
        pixels.push_back(0.2f * latents[static_cast<std::size_t>(i)] + 0.1f);
      }
    }
  }
  return pixels;
}

TEST(PreviewDecoder, LearnsALinearDecoderFromItsDecodes) {
  PreviewDecoder preview(4, kScale);
  EXPECT_FALSE(preview.is_ready());
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    preview.learn(random_latents(seed), kShape, flat_decode(random_latents(seed)));
  }
  ASSERT_TRUE(preview.is_ready());
  const auto latents = random_latents(9);
  const Image image = preview.decode(latents, kShape);
  ASSERT_EQ(image.size, (ImageSize{96, 64}));
  const auto truth = flat_decode(latents);
  // Centres of blocks: between them the preview is smooth and the decoder is not.
  const std::size_t plane = truth.size() / 3;
  for (int y = kScale / 2; y < 64; y += kScale) {
    for (int x = kScale / 2; x < 96; x += kScale) {
      const auto i = static_cast<std::size_t>(y * 96 + x);
      for (std::size_t c = 0; c < 3; ++c) {
        const int wanted = static_cast<int>((truth[c * plane + i] / 2 + 0.5f) * 255);
        EXPECT_LT(std::abs(image.pixels[3 * i + c] - wanted), 16) << x << "," << y << "," << c;
      }
    }
  }
}

TEST(PreviewDecoder, TakesAnotherShapeThanItLearntFrom) {
  PreviewDecoder preview(4, kScale);
  preview.learn(random_latents(1), kShape, flat_decode(random_latents(1)));
  const std::vector<float> one(4, 0.5f);
  EXPECT_EQ(preview.decode(one, {.channels = 4, .height = 1, .width = 1}).size, (ImageSize{8, 8}));
}

}  // namespace
}  // namespace limner::pipelines
