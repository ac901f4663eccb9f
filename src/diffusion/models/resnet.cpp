#include "diffusion/models/resnet.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

Value resample(const Value& x, ResnetOptions::Resample kind) {
  switch (kind) {
    case ResnetOptions::Resample::None:
      return x;
    case ResnetOptions::Resample::Down:
      return nn::avg_pool2d(x, 2);
    case ResnetOptions::Resample::Up:
      return nn::interpolate_nearest(x, 2 * x.dim(2), 2 * x.dim(3));
  }
  return x;
}

}  // namespace

Value resnet_block(const Value& x, const Value& temb, const WeightScope& w,
                   const ResnetOptions& o) {
  const auto act = [&](const Value& v) { return nn::activation(v, o.act_fn); };
  const Value input = resample(x, o.resample);
  Value h = resample(act(nn::group_norm(x, w / "norm1", o.groups, o.eps)), o.resample);
  h = nn::conv2d(h, w / "conv1");
  Value time;
  if (temb && w.has("time_emb_proj")) {
    time = nn::unsqueeze_hw(nn::linear(o.skip_time_act ? temb : act(temb), w / "time_emb_proj"));
  }
  if (time && !o.scale_shift) h = h + time;
  h = nn::group_norm(h, w / "norm2", o.groups, o.eps);
  if (time && o.scale_shift) {
    const auto parts = nn::chunk(time, 2, 1);
    // h (1 + scale) + shift. Written out: OpenVINO 2026.4 crashes when it compiles a group norm
    // whose result is multiplied by something plus a constant.
    h = h * parts[0] + h + parts[1];
  }
  h = nn::conv2d(act(h), w / "conv2");
  h = (w.has("conv_shortcut") ? nn::conv2d(input, w / "conv_shortcut") : input) + h;
  return o.output_scale_factor == 1.0 ? h : h / o.output_scale_factor;
}

Value downsample_2d(const Value& x, const WeightScope& w, int padding) {
  return nn::conv2d(x, w / "conv",
                    {.stride = 2, .padding = padding, .extra_padding_end = padding == 0 ? 1 : 0});
}

Value upsample_2d(const Value& x, const WeightScope& w, std::optional<Size2D> size) {
  const Size2D twice{2 * x.dim(2), 2 * x.dim(3)};
  if (size.value_or(twice) == twice) return nn::upsample_conv2d(x, w / "conv");
  return nn::conv2d(nn::interpolate_nearest(x, size->first, size->second), w / "conv");
}

}  // namespace limner::models
