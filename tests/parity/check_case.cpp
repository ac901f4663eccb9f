#include "parity/check_case.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "parity/painting.hpp"

namespace limner::parity {

void check_case(pipelines::Pipeline& pipeline, const Case& c) {
  const auto picture = paint_by_torchs_seeds(pipeline, c.request);
  if (!picture) {
    ADD_FAILURE() << c.name << ": " << picture.error().message << ' ' << picture.error().detail;
    return;
  }
  const Image expected = read_picture(c.file);
  ASSERT_EQ(picture->size, expected.size) << c.name;
  const Difference d = compare(picture->pixels, expected.pixels);
  fmt::print("  {:<32} mean {:.4f}/255  largest {:3}  PSNR {:5.1f} dB\n", c.name, d.mean_abs,
             d.largest, d.psnr_db);
  EXPECT_LE(d.mean_abs, c.tolerance.mean_abs_difference_8bit) << c.name;
  EXPECT_GE(d.psnr_db, c.tolerance.psnr_db) << c.name;
}

}  // namespace limner::parity
