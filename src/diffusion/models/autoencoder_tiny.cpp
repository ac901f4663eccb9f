#include "diffusion/models/autoencoder_tiny.hpp"

#include <utility>

#include <fmt/format.h>

#include "diffusion/models/autoencoder_halves.hpp"
#include "diffusion/models/config_reader.hpp"
#include "nn/ops.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

constexpr std::size_t kLevelsMax = 8;

// AutoencoderTinyBlock: three convolutions beside a skip, a ReLU over both.
Value block(const Value& x, const WeightScope& w, const std::string& act_fn) {
  const WeightScope conv = w / "conv";
  Value h = nn::activation(nn::conv2d(x, conv / 0), act_fn);
  h = nn::activation(nn::conv2d(h, conv / 2), act_fn);
  h = nn::conv2d(h, conv / 4);
  return nn::relu(h + (w.has("skip") ? nn::conv2d(x, w / "skip") : x));
}

// `layers` counts as torch's Sequential does, layers without weights included.
Value encoder(const Value& pixels, const WeightScope& layers, const AutoencoderTinyConfig& c) {
  std::size_t next = 0;
  Value h = (pixels + 1.0) * 0.5;
  for (std::size_t level = 0; level < c.num_encoder_blocks.size(); ++level) {
    h = nn::conv2d(h, layers / next++, {.stride = level == 0 ? 1 : 2});
    for (std::int64_t i = 0; i < c.num_encoder_blocks[level]; ++i) {
      h = block(h, layers / next++, c.act_fn);
    }
  }
  return nn::conv2d(h, layers / next);
}

Value decoder(const Value& latents, const WeightScope& layers, const AutoencoderTinyConfig& c) {
  std::size_t next = 0;
  Value h = nn::tanh(latents / 3.0) * 3.0;
  h = nn::activation(nn::conv2d(h, layers / next++), c.act_fn);
  ++next;  // the activation
  for (std::size_t level = 0; level < c.num_decoder_blocks.size(); ++level) {
    for (std::int64_t i = 0; i < c.num_decoder_blocks[level]; ++i) {
      h = block(h, layers / next++, c.act_fn);
    }
    if (level + 1 < c.num_decoder_blocks.size()) {
      ++next;  // the enlargement
      h = nn::upsample_conv2d(h, layers / next++);
    } else {
      h = nn::conv2d(h, layers / next++);
    }
  }
  return h * 2.0 - 1.0;
}

}  // namespace

Result<AutoencoderTinyConfig> AutoencoderTinyConfig::parse(const Component& component) {
  AutoencoderTinyConfig c;
  ConfigReader r(component.config, component.where);
  c.latent_channels = r.integer("latent_channels", 4);
  c.scaling_factor = r.number("scaling_factor", 1.0);
  c.shift_factor = r.number("shift_factor", 0.0);
  c.num_encoder_blocks = r.integers("num_encoder_blocks", {1, 3, 3, 3});
  c.num_decoder_blocks = r.integers("num_decoder_blocks", {3, 3, 3, 1});
  c.act_fn = r.string("act_fn", "relu");
  c.level_count = c.num_decoder_blocks.size();
  if (r.integer("in_channels", 3) != 3 || r.integer("out_channels", 3) != 3) {
    r.fail("in_channels", "only pictures of three channels are supported");
  }
  r.require("upsample_fn", "nearest");
  if (r.integer("upsampling_scaling_factor", 2) != 2) {
    r.fail("upsampling_scaling_factor", "only 2 is supported");
  }
  for (const auto* blocks : {&c.num_encoder_blocks, &c.num_decoder_blocks}) {
    if (blocks->size() != c.level_count || blocks->empty() || blocks->size() > kLevelsMax) {
      r.fail("num_decoder_blocks", "needs 1 to 8 entries, as many as num_encoder_blocks");
    }
    for (const auto count : *blocks) {
      if (count < 0 || count > 64) r.fail("num_decoder_blocks", "must be between 0 and 64");
    }
  }
  if (c.latent_channels <= 0 || c.latent_channels > 1024) {
    r.fail("latent_channels", "must be between 1 and 1024");
  }
  if (!(c.scaling_factor > 0)) r.fail("scaling_factor", "must be positive");
  // Widths are the weights' own; the latent's 8-bit storage is not used by pipelines.
  r.ignore({"block_out_channels", "encoder_block_out_channels", "decoder_block_out_channels",
            "latent_magnitude", "latent_shift", "force_upcast"});
  if (auto ok = r.finish(); !ok) return ok.error();
  return c;
}

AutoencoderTiny::AutoencoderTiny(runtime::Runtime& runtime, const Component& decoder_component,
                                 const Component& encoder_component, AutoencoderTinyConfig config,
                                 const NetworkOptions& options)
    : config_(std::move(config)),
      decoder_(runtime, decoder_component, options),
      encoder_(runtime, encoder_component, options) {}

Result<std::unique_ptr<Autoencoder>> AutoencoderTiny::load(runtime::Runtime& runtime,
                                                           const Component& component,
                                                           const NetworkOptions& options) {
  auto config = AutoencoderTinyConfig::parse(component);
  if (!config) return config.error();
  return std::unique_ptr<Autoencoder>(new AutoencoderTiny(
      runtime, half_of(component, "_decoder", {"encoder."}),
      half_of(component, "_encoder", {"decoder."}), *std::move(config), options));
}

Result<runtime::Tensor> AutoencoderTiny::decode(std::span<const float> latents, std::int64_t height,
                                                std::int64_t width) {
  return run_row_by_row(decoder_, latents, {config_.latent_channels, height, width},
                        [&](const Value& x, const WeightScope& w) {
                          return decoder(x, w / "decoder" / "layers", config_);
                        });
}

Result<runtime::Tensor> AutoencoderTiny::encode(std::span<const float> pixels, std::int64_t height,
                                                std::int64_t width) {
  return run_row_by_row(encoder_, pixels, {3, height, width},
                        [&](const Value& x, const WeightScope& w) {
                          return encoder(x, w / "encoder" / "layers", config_);
                        });
}

}  // namespace limner::models
