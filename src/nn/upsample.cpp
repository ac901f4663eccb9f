#include <vector>

#include <openvino/op/constant.hpp>
#include <openvino/op/group_conv.hpp>

#include "nn/node.hpp"
#include "nn/ops.hpp"

namespace limner::nn {
namespace {

constexpr std::int64_t kTaps = 3;
constexpr std::int64_t kSpread = 4;  // of the transposed kernel
// Below so many pixels reading the larger kernel costs more than the saved arithmetic (measured:
// 1280 channels lose at 4x4 and win at 8x8).
constexpr std::int64_t kMinPixels = 64;

// What one input pixel, doubled, adds to its four output pixels: output 2i + p - 1 of input i sees
// taps 2 - p and 3 - p, as far as there are such taps.
bool reaches(std::int64_t p, std::int64_t tap) {
  return tap == 2 - p || tap == 3 - p;
}

// [K, C, 3, 3] → [C, K, 4, 4], sums in float32.
std::shared_ptr<ov::op::v0::Constant> spread_kernel(const weights::TensorView& kernel) {
  const std::int64_t outputs = kernel.shape[0];
  const std::int64_t inputs = kernel.shape[1];
  const std::vector<float> values = weights::to_float32(kernel);
  ov::Tensor spread(ov::element::f32,
                    {static_cast<std::size_t>(inputs), static_cast<std::size_t>(outputs),
                     static_cast<std::size_t>(kSpread), static_cast<std::size_t>(kSpread)});
  float* to = spread.data<float>();
  for (std::int64_t c = 0; c < inputs; ++c) {
    for (std::int64_t k = 0; k < outputs; ++k) {
      const float* taps = values.data() + (k * inputs + c) * kTaps * kTaps;
      for (std::int64_t p = 0; p < kSpread; ++p) {
        for (std::int64_t q = 0; q < kSpread; ++q) {
          float sum = 0;
          for (std::int64_t y = 0; y < kTaps; ++y) {
            for (std::int64_t x = 0; x < kTaps; ++x) {
              if (reaches(p, y) && reaches(q, x)) sum += taps[y * kTaps + x];
            }
          }
          *to++ = sum;
        }
      }
    }
  }
  return std::make_shared<ov::op::v0::Constant>(spread);
}

}  // namespace

Value upsample_conv2d(const Value& x, const WeightScope& w) {
  const auto& kernel = w.get("weight");
  const bool fits = kernel.shape.size() == 4 && kernel.shape[1] == x.dim(1) &&
                    kernel.shape[2] == kTaps && kernel.shape[3] == kTaps;
  // Sums of weights that the user wants narrow would have to be rounded once more.
  const bool is_narrowed = w.format() == WeightFormat::F16 || w.format() == WeightFormat::Bf16;
  if (!fits || is_narrowed || x.dim(2) * x.dim(3) < kMinPixels) {
    return conv2d(interpolate_nearest(x, 2 * x.dim(2), 2 * x.dim(3)), w);
  }
  const ov::Strides twice(2, 2);
  const ov::CoordinateDiff one(2, 1);
  const Value y = make<ov::op::v1::ConvolutionBackpropData>(
      out(x), spread_kernel(kernel)->output(0), twice, one, one, ov::Strides(2, 1));
  if (!w.has("bias")) return y;
  return y + reshape(parameter(w, "bias"), {1, kernel.shape[0], 1, 1});
}

}  // namespace limner::nn
