#include "cutout/guided_filter.hpp"

namespace limner::cutout {
namespace {

struct Symmetric {
  float rr, rg, rb, gg, gb, bb;
};

// matrix * x = right, by cofactors. The diagonal was raised, so the determinant is positive.
Rgb solve(const Symmetric& m, const Rgb& right) {
  const float a = m.gg * m.bb - m.gb * m.gb;
  const float b = m.rb * m.gb - m.rg * m.bb;
  const float c = m.rg * m.gb - m.rb * m.gg;
  const float d = m.rr * m.bb - m.rb * m.rb;
  const float e = m.rg * m.rb - m.rr * m.gb;
  const float f = m.rr * m.gg - m.rg * m.rg;
  const float scale = 1.0f / (m.rr * a + m.rg * b + m.rb * c);
  return {(a * right[0] + b * right[1] + c * right[2]) * scale,
          (b * right[0] + d * right[1] + e * right[2]) * scale,
          (c * right[0] + e * right[1] + f * right[2]) * scale};
}

}  // namespace

LinearFunctions fit_guided(const RgbPlanes& guide, const Plane& mask, int radius_px,
                           float smoothness) {
  const auto mean_of = [&](const Plane& plane) { return box_mean(plane, radius_px); };
  const auto mean_product = [&](const Plane& a, const Plane& b) { return mean_of(multiply(a, b)); };
  const RgbPlanes mean = {mean_of(guide[0]), mean_of(guide[1]), mean_of(guide[2])};
  const Plane mask_mean = mean_of(mask);
  const Plane rr = mean_product(guide[0], guide[0]);
  const Plane rg = mean_product(guide[0], guide[1]);
  const Plane rb = mean_product(guide[0], guide[2]);
  const Plane gg = mean_product(guide[1], guide[1]);
  const Plane gb = mean_product(guide[1], guide[2]);
  const Plane bb = mean_product(guide[2], guide[2]);
  const RgbPlanes with_mask = {mean_product(guide[0], mask), mean_product(guide[1], mask),
                               mean_product(guide[2], mask)};
  LinearFunctions functions{.slope = {Plane(mask.size), Plane(mask.size), Plane(mask.size)},
                            .offset = Plane(mask.size)};
  for (std::size_t i = 0; i < mask.values.size(); ++i) {
    const float r = mean[0].values[i];
    const float g = mean[1].values[i];
    const float b = mean[2].values[i];
    const float m = mask_mean.values[i];
    const Symmetric covariance{
        rr.values[i] - r * r + smoothness, rg.values[i] - r * g, rb.values[i] - r * b,
        gg.values[i] - g * g + smoothness, gb.values[i] - g * b, bb.values[i] - b * b + smoothness};
    const Rgb slope =
        solve(covariance, {with_mask[0].values[i] - r * m, with_mask[1].values[i] - g * m,
                           with_mask[2].values[i] - b * m});
    for (std::size_t c = 0; c < 3; ++c) functions.slope[c].values[i] = slope[c];
    functions.offset.values[i] = m - slope[0] * r - slope[1] * g - slope[2] * b;
  }
  for (auto& plane : functions.slope) plane = mean_of(plane);
  functions.offset = mean_of(functions.offset);
  return functions;
}

}  // namespace limner::cutout
