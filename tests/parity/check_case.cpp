#include "parity/check_case.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "parity/painting.hpp"

namespace limner::parity {
namespace {

// How much of a stack of pictures has torch's noise: of seeds above 32 bits torch drops the upper
// half, which is not repeated here.
std::span<const std::uint8_t> comparable(const Image& stack, const GenerationRequest& request) {
  constexpr std::uint64_t kSeedsOfTorch = std::uint64_t{1} << 32U;
  const auto count = static_cast<std::uint64_t>(request.image_count);
  const auto from_torch = std::min(count, kSeedsOfTorch - std::min(request.sampling.seed,
                                                                   kSeedsOfTorch));
  return std::span(stack.pixels).first(stack.pixels.size() / count * from_torch);
}

}  // namespace

void check_case(pipelines::Pipeline& pipeline, const Case& c) {
  const auto picture = paint_by_torchs_seeds(pipeline, c.request);
  if (!picture) {
    ADD_FAILURE() << c.name << ": " << picture.error().message << ' ' << picture.error().detail;
    return;
  }
  const Image expected = read_picture(c.file);
  ASSERT_EQ(picture->size, expected.size) << c.name;
  const auto painted = comparable(*picture, c.request);
  ASSERT_FALSE(painted.empty()) << c.name;
  const Difference d = compare(painted, comparable(expected, c.request));
  fmt::print("  {:<32} mean {:.4f}/255  largest {:3}  PSNR {:5.1f} dB\n", c.name, d.mean_abs,
             d.largest, d.psnr_db);
  EXPECT_LE(d.mean_abs, c.tolerance.mean_abs_difference_8bit) << c.name;
  EXPECT_GE(d.psnr_db, c.tolerance.psnr_db) << c.name;
}

}  // namespace limner::parity
