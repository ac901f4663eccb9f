// The matting network that ships against PyTorch's answers and against the truth, on held-out
// composites (made by tools/golden/make_matting.py).
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "codec/decode.hpp"
#include "codec/pixels.hpp"
#include "cutout/network_matting.hpp"
#include "diffusion/models/matting_network.hpp"
#include "runtime/runtime.hpp"
#include "unit/cutout/scenes.hpp"

namespace limner {
namespace {

const std::filesystem::path kSource = LIMNER_SOURCE_DIR;
constexpr int kComposites = 12;  // three on each kind of background

Image read(int number, std::string_view what) {
  const auto file = kSource / "tests/golden/matting" / fmt::format("{:02}-{}.png", number, what);
  auto bytes = read_file(file, std::size_t{1} << 20);
  EXPECT_TRUE(bytes) << file;
  auto image =
      codec::decode_image({reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()});
  EXPECT_TRUE(image) << file;
  return std::move(*image);
}

class Matting : public ::testing::Test {
 protected:
  void SetUp() override {
    auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32});
    ASSERT_TRUE(runtime);
    runtime_ = *std::move(runtime);
    auto network = models::MattingNetwork::load(*runtime_, kSource / "models/matting");
    ASSERT_TRUE(network) << network.error().message;
    network_ = *std::move(network);
  }

  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<models::MattingNetwork> network_;
};

TEST_F(Matting, equals_pytorch) {
  for (int i = 0; i < kComposites; ++i) {
    const auto share = (*network_)(read(i, "picture"));
    ASSERT_TRUE(share);
    const Image expected = read(i, "pytorch");
    double worst = 0;
    for (std::size_t p = 0; p < share->size(); ++p) {
      worst = std::max(worst, std::abs((*share)[p] * 255.0 - expected.pixels[3 * p]));
    }
    EXPECT_LE(worst, 0.51) << i;  // rounding to a byte is half
  }
}

TEST_F(Matting, finds_held_out_subjects) {
  const cutout::NetworkMatting matting(
      [this](const Image& rgb) -> Result<cutout::Plane> {
        auto share = (*network_)(rgb);
        if (!share) return share.error();
        cutout::Plane plane(rgb.size);
        plane.values = *std::move(share);
        return plane;
      },
      network_->config().sample_size, cutout::WhenUnsure::UseClassical);
  double error = 0;
  double overlap = 0;
  for (int i = 0; i < kComposites; ++i) {
    const auto alpha = matting.alpha(read(i, "picture"));
    ASSERT_TRUE(alpha);
    const Image truth = codec::to_grey(read(i, "alpha"));
    error += cutout::testing::mean_difference(*alpha, truth) / 255 / kComposites;
    overlap += cutout::testing::intersection_over_union(*alpha, truth) / kComposites;
  }
  EXPECT_LE(error, 0.02);
  EXPECT_GE(overlap, 0.95);
}

}  // namespace
}  // namespace limner
