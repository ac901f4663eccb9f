#include "diffusion/models/autoencoder_kl.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/models/autoencoder_halves.hpp"
#include "diffusion/models/config_reader.hpp"
#include "diffusion/models/resnet.hpp"
#include "diffusion/models/transformer_2d.hpp"
#include "nn/ir_network.hpp"
#include "nn/ops.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

constexpr double kNormEps = 1e-6;

ResnetOptions resnet_options(const AutoencoderKLConfig& c) {
  return {.groups = c.norm_num_groups, .eps = kNormEps, .act_fn = c.act_fn};
}

Value single_head(const Value& h, const WeightScope& w, const AutoencoderKLConfig& c) {
  return attention_block(h, w, 1, c.norm_num_groups, kNormEps);
}

Value mid_block(Value h, const WeightScope& w, const AutoencoderKLConfig& c) {
  h = resnet_block(h, {}, w / "resnets" / 0, resnet_options(c));
  if (c.mid_block_add_attention) h = single_head(h, w / "attentions" / 0, c);
  return resnet_block(h, {}, w / "resnets" / 1, resnet_options(c));
}

Value head(const Value& h, const WeightScope& w, const AutoencoderKLConfig& c) {
  return nn::conv2d(nn::silu(nn::group_norm(h, w / "conv_norm_out", c.norm_num_groups, kNormEps)),
                    w / "conv_out");
}

// pixels [B, 3, H, W] → [B, 2C, h, w]
Value encoder(const Value& pixels, const WeightScope& w, const AutoencoderKLConfig& c) {
  Value h = nn::conv2d(pixels, w / "conv_in");
  const std::size_t levels = c.block_out_channels.size();
  for (std::size_t i = 0; i < levels; ++i) {
    const WeightScope block = w / "down_blocks" / i;
    for (std::size_t j = 0; j < static_cast<std::size_t>(c.layers_per_block); ++j) {
      h = resnet_block(h, {}, block / "resnets" / j, resnet_options(c));
      if (c.down_block_types[i] == "AttnDownEncoderBlock2D") {
        h = single_head(h, block / "attentions" / j, c);
      }
    }
    if (i + 1 < levels) h = downsample_2d(h, block / "downsamplers" / 0, 0);
  }
  return head(mid_block(h, w / "mid_block", c), w, c);
}

// latents [B, C, h, w] → [B, 3, H, W]
Value decoder(const Value& latents, const WeightScope& w, const AutoencoderKLConfig& c) {
  Value h = mid_block(nn::conv2d(latents, w / "conv_in"), w / "mid_block", c);
  const std::size_t levels = c.block_out_channels.size();
  for (std::size_t i = 0; i < levels; ++i) {
    const WeightScope block = w / "up_blocks" / i;
    for (std::size_t j = 0; j < static_cast<std::size_t>(c.layers_per_block) + 1; ++j) {
      h = resnet_block(h, {}, block / "resnets" / j, resnet_options(c));
      if (c.up_block_types[i] == "AttnUpDecoderBlock2D") {
        h = single_head(h, block / "attentions" / j, c);
      }
    }
    if (i + 1 < levels) h = upsample_2d(h, block / "upsamplers" / 0);
  }
  return head(h, w, c);
}

}  // namespace

Result<AutoencoderKLConfig> AutoencoderKLConfig::parse(const Component& component) {
  AutoencoderKLConfig c;
  ConfigReader r(component.config, component.where);
  c.in_channels = r.integer("in_channels", 3);
  c.out_channels = r.integer("out_channels", 3);
  c.down_block_types = r.strings("down_block_types", {"DownEncoderBlock2D"});
  c.up_block_types = r.strings("up_block_types", {"UpDecoderBlock2D"});
  c.block_out_channels = r.integers("block_out_channels", {64});
  c.layers_per_block = r.integer("layers_per_block", 1);
  c.act_fn = r.string("act_fn", "silu");
  c.latent_channels = r.integer("latent_channels", 4);
  c.norm_num_groups = static_cast<int>(r.integer("norm_num_groups", 32));
  c.scaling_factor = r.number("scaling_factor", 0.18215);
  const double shift = r.number("shift_factor", 0);
  if (!r.is_null_or_absent("shift_factor")) c.shift_factor = shift;
  c.latents_mean = r.optional_numbers("latents_mean");
  c.latents_std = r.optional_numbers("latents_std");
  c.use_quant_conv = r.boolean("use_quant_conv", true);
  c.use_post_quant_conv = r.boolean("use_post_quant_conv", true);
  c.mid_block_add_attention = r.boolean("mid_block_add_attention", true);
  for (const auto& type : c.down_block_types) {
    if (type != "DownEncoderBlock2D" && type != "AttnDownEncoderBlock2D") {
      r.fail("down_block_types", fmt::format("block type {} is not supported", type));
    }
  }
  for (const auto& type : c.up_block_types) {
    if (type != "UpDecoderBlock2D" && type != "AttnUpDecoderBlock2D") {
      r.fail("up_block_types", fmt::format("block type {} is not supported", type));
    }
  }
  const std::size_t levels = c.block_out_channels.size();
  c.level_count = levels;
  if (levels == 0 || levels > 8 || c.down_block_types.size() != levels ||
      c.up_block_types.size() != levels) {
    r.fail("block_out_channels", "needs 1 to 8 entries, as many as down and up block types");
  }
  for (const auto channels : c.block_out_channels) {
    if (channels <= 0) r.fail("block_out_channels", "must be positive");
  }
  if (c.layers_per_block <= 0 || c.layers_per_block > 64) {
    r.fail("layers_per_block", "must be between 1 and 64");
  }
  if (c.latent_channels <= 0) r.fail("latent_channels", "must be positive");
  if (!(c.scaling_factor > 0)) r.fail("scaling_factor", "must be positive");
  if (c.in_channels != 3 || c.out_channels != 3) {
    r.fail("in_channels", "only pictures of three channels are supported");
  }
  const auto latent_count = static_cast<std::size_t>(c.latent_channels);
  for (const auto* list : {&c.latents_mean, &c.latents_std}) {
    if (*list && (*list)->size() != latent_count)
      r.fail("latents_mean", "needs one value a channel");
  }
  // float32 throughout makes upcasting a no-op.
  r.ignore({"sample_size", "force_upcast"});
  if (auto ok = r.finish(); !ok) return ok.error();
  return c;
}

AutoencoderKL::AutoencoderKL(runtime::Runtime& runtime, const Component& decoder_component,
                             const Component& encoder_component, AutoencoderKLConfig config,
                             const NetworkOptions& options)
    : config_(std::move(config)),
      decoder_(runtime, decoder_component, options),
      encoder_(runtime, encoder_component, options) {}

Result<AutoencoderKL> AutoencoderKL::load(runtime::Runtime& runtime, const Component& component,
                                          const NetworkOptions& options) {
  auto config = AutoencoderKLConfig::parse(component);
  if (!config) return config.error();
  return AutoencoderKL(runtime, half_of(component, "_decoder", {"encoder.", "quant_conv."}),
                       half_of(component, "_encoder", {"decoder.", "post_quant_conv."}),
                       *std::move(config), options);
}

Result<AutoencoderKL> AutoencoderKL::load_halves(runtime::Runtime& runtime,
                                                 const Component& decoder, const Component& encoder,
                                                 const NetworkOptions& options) {
  auto config = AutoencoderKLConfig::parse(decoder);
  if (!config) return config.error();
  return AutoencoderKL(runtime, decoder, encoder, *std::move(config), options);
}

Result<runtime::Tensor> AutoencoderKL::decode(std::span<const float> latents, std::int64_t height,
                                              std::int64_t width) {
  return run_row_by_row(
      decoder_, latents, {config_.latent_channels, height, width},
      [&](const Value& x, const WeightScope& w) {
        if (!decoder_.ir().empty()) {
          return nn::ir_network(decoder_.ir(), {{"latent_sample", x}}, {"sample"}).front();
        }
        const Value z = config_.use_post_quant_conv ? nn::conv2d(x, w / "post_quant_conv") : x;
        return decoder(z, w / "decoder", config_);
      });
}

Result<runtime::Tensor> AutoencoderKL::encode(std::span<const float> pixels, std::int64_t height,
                                              std::int64_t width) {
  return run_row_by_row(
      encoder_, pixels, {3, height, width}, [&](const Value& x, const WeightScope& w) {
        if (!encoder_.ir().empty()) {
          return nn::ir_network(encoder_.ir(), {{"sample", x}}, {"latent_parameters"}).front();
        }
        const Value moments = encoder(x, w / "encoder", config_);
        return config_.use_quant_conv ? nn::conv2d(moments, w / "quant_conv") : moments;
      });
}

}  // namespace limner::models
