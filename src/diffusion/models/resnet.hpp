// ResnetBlock2D, Downsample2D and Upsample2D of diffusers.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "nn/ops.hpp"

namespace limner::models {

struct ResnetOptions {
  int groups = 32;
  double eps = 1e-5;
  std::string act_fn = "silu";
  bool scale_shift = false;  // resnet_time_scale_shift "scale_shift"
  bool skip_time_act = false;
  double output_scale_factor = 1.0;
  enum class Resample { None, Down, Up } resample = Resample::None;
};

// x [B, C_in, h, w], temb [B, T] or none → [B, C_out, h', w']
nn::Value resnet_block(const nn::Value& x, const nn::Value& temb, const nn::WeightScope& w,
                       const ResnetOptions& options);

// A stride-2 convolution; padding 0 pads one row and column at the end instead, as the VAE does.
nn::Value downsample_2d(const nn::Value& x, const nn::WeightScope& w, int padding);

using Size2D = std::pair<std::int64_t, std::int64_t>;  // height, width
// Nearest enlargement, to twice the size unless `size` is given, then a convolution.
nn::Value upsample_2d(const nn::Value& x, const nn::WeightScope& w,
                      std::optional<Size2D> size = std::nullopt);

}  // namespace limner::models
