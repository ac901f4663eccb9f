#include "diffusion/models/flux_transformer_2d.hpp"

#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "diffusion/models/config_reader.hpp"
#include "diffusion/models/modulation.hpp"
#include "diffusion/models/patch_embed.hpp"
#include "nn/ir_network.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

Result<FluxTransformerConfig> FluxTransformerConfig::parse(const Component& component) {
  FluxTransformerConfig c;
  ConfigReader r(component.config, component.where);
  if (r.integer("patch_size", 1) != 1) r.fail("patch_size", "only 1 is supported");
  c.in_channels = r.integer("in_channels", c.in_channels);
  c.out_channels = r.integer("out_channels", c.in_channels);
  c.num_layers = r.integer("num_layers", c.num_layers);
  c.num_single_layers = r.integer("num_single_layers", c.num_single_layers);
  c.attention_head_dim = r.integer("attention_head_dim", c.attention_head_dim);
  c.num_attention_heads = r.integer("num_attention_heads", c.num_attention_heads);
  c.joint_attention_dim = r.integer("joint_attention_dim", c.joint_attention_dim);
  c.pooled_projection_dim = r.integer("pooled_projection_dim", c.pooled_projection_dim);
  c.guidance_embeds = r.boolean("guidance_embeds", false);
  c.axes_dims_rope = r.integers("axes_dims_rope", {16, 56, 56});
  for (const auto size : {c.in_channels, c.out_channels, c.attention_head_dim,
                          c.num_attention_heads, c.joint_attention_dim, c.pooled_projection_dim}) {
    if (size <= 0 || size > 1'000'000) r.fail("in_channels", "sizes must be positive");
  }
  if (c.num_layers < 0 || c.num_single_layers < 0) r.fail("num_layers", "must not be negative");
  if (c.in_channels % 4 != 0 || c.out_channels % 4 != 0) {
    r.fail("in_channels", "must be a multiple of 4: latents come in patches of 2x2");
  }
  bool is_even = c.axes_dims_rope.size() == 3;
  for (const auto dim : c.axes_dims_rope) is_even = is_even && dim >= 0 && dim % 2 == 0;
  const auto& axes = c.axes_dims_rope;
  if (!is_even ||
      std::accumulate(axes.begin(), axes.end(), std::int64_t{0}) != c.attention_head_dim) {
    r.fail("axes_dims_rope", "needs three even numbers that add up to attention_head_dim");
  }
  if (auto ok = r.finish(); !ok) return ok.error();
  return c;
}

RotaryTables flux_rotary_tables(std::int64_t text_length, std::int64_t rows, std::int64_t columns,
                                const std::vector<std::int64_t>& axes_dims) {
  constexpr double kTheta = 10'000;
  RotaryTables tables;
  const auto add_token = [&](const std::array<double, 3>& position) {
    for (std::size_t axis = 0; axis < axes_dims.size(); ++axis) {
      tables.add_axis(position[axis], axes_dims[axis], kTheta);
    }
  };
  for (std::int64_t i = 0; i < text_length; ++i) add_token({0, 0, 0});
  for (std::int64_t y = 0; y < rows; ++y) {
    for (std::int64_t x = 0; x < columns; ++x) {
      add_token({0, static_cast<double>(y), static_cast<double>(x)});
    }
  }
  return tables;
}

JointTokens flux_double_block(const JointTokens& tokens, const Value& temb, const WeightScope& w,
                              const JointAttentionOptions& attention) {
  const Modulated m = ada_layer_norm_zero(tokens.x, temb, w / "norm1");
  const Modulated c = ada_layer_norm_zero(tokens.context, temb, w / "norm1_context");
  const JointTokens seen = joint_attention({m.x, c.x}, w / "attn", attention);
  const auto finish = [&](const Value& x, const Value& attended, const Modulated& by,
                          std::string_view feed_forward) {
    const Value h = x + by.gate_msa * attended;
    const Value n = modulate(plain_layer_norm(h), by.shift_mlp, by.scale_mlp);
    return h + by.gate_mlp * gelu_feed_forward(n, w / feed_forward);
  };
  return {finish(tokens.x, seen.x, m, "ff"), finish(tokens.context, seen.context, c, "ff_context")};
}

Value flux_single_block(const Value& x, const Value& temb, const WeightScope& w,
                        const JointAttentionOptions& attention) {
  const auto m = modulation(temb, w / "norm", 3);  // shift, scale, gate
  const Value n = modulate(plain_layer_norm(x), m[0], m[1]);
  const Value attended = self_attention(n, w / "attn", attention);
  const Value mlp = nn::gelu_tanh(nn::linear(n, w / "proj_mlp"));
  return x + m[2] * nn::linear(nn::concat({attended, mlp}, 2), w / "proj_out");
}

FluxTransformer2DModel::FluxTransformer2DModel(runtime::Runtime& runtime,
                                               const Component& component,
                                               FluxTransformerConfig config,
                                               const NetworkOptions& options)
    : config_(std::move(config)), shapes_(runtime, component, options) {}

Result<FluxTransformer2DModel> FluxTransformer2DModel::load(runtime::Runtime& runtime,
                                                            const Component& component,
                                                            const NetworkOptions& options) {
  auto config = FluxTransformerConfig::parse(component);
  if (!config) return config.error();
  return FluxTransformer2DModel(runtime, component, *std::move(config), options);
}

namespace {

Value write_network(nn::Graph& graph, const WeightScope& w, const FluxTransformerConfig& c,
                    const TransformerInputs& in) {
  const Value sample = graph.input("sample", {in.rows, c.in_channels / 4, in.height, in.width});
  const Value text =
      graph.input("encoder_hidden_states", {in.rows, in.sequence_length, c.joint_attention_dim});
  const Value time = graph.input("timestep", {in.rows, kTimeChannels});
  const Value guidance =
      c.guidance_embeds ? graph.input("guidance", {in.rows, kTimeChannels}) : Value{};
  const Value pooled = graph.input("pooled", {in.rows, c.pooled_projection_dim});
  const Value temb = timestep_text_embedding({time, guidance, pooled}, w / "time_text_embed");

  const auto tables =
      flux_rotary_tables(in.sequence_length, in.height / 2, in.width / 2, c.axes_dims_rope);
  const nn::Shape table_shape{in.sequence_length + in.height / 2 * (in.width / 2),
                              c.attention_head_dim};
  const JointAttentionOptions attention{
      .heads = c.num_attention_heads,
      .has_qk_norm = true,
      .rope = {nn::constant(tables.cos, table_shape), nn::constant(tables.sin, table_shape)}};
  JointTokens tokens{nn::linear(pack_latents(sample), w / "x_embedder"),
                     nn::linear(text, w / "context_embedder")};
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.num_layers); ++i) {
    tokens = flux_double_block(tokens, temb, w / "transformer_blocks" / i, attention);
  }
  Value h = nn::concat({tokens.context, tokens.x}, 1);
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.num_single_layers); ++i) {
    h = flux_single_block(h, temb, w / "single_transformer_blocks" / i, attention);
  }
  h = ada_layer_norm_continuous(nn::slice(h, 1, in.sequence_length, h.dim(1)), temb,
                                w / "norm_out");
  return unpack_latents(nn::linear(h, w / "proj_out"), in.height, in.width);
}

// The exporter's network works on tokens, places them by ids and takes times of 1.
Value write_ir(nn::Graph& graph, const std::filesystem::path& ir, const FluxTransformerConfig& c,
               const TransformerInputs& in) {
  const Value sample = graph.input("sample", {in.rows, c.in_channels / 4, in.height, in.width});
  const Value text =
      graph.input("encoder_hidden_states", {in.rows, in.sequence_length, c.joint_attention_dim});
  const Value of_1000 = nn::constant(std::array{0.001F}, {1});
  std::vector<float> places;
  for (std::int64_t y = 0; y < in.height / 2; ++y) {
    for (std::int64_t x = 0; x < in.width / 2; ++x) {
      places.insert(places.end(), {0.0F, static_cast<float>(y), static_cast<float>(x)});
    }
  }
  const std::vector<float> origins(static_cast<std::size_t>(in.sequence_length) * 3);
  std::vector<nn::IrInput> inputs = {
      {"hidden_states", pack_latents(sample)},
      {"encoder_hidden_states", text},
      {"pooled_projections", graph.input("pooled", {in.rows, c.pooled_projection_dim})},
      {"timestep", graph.input("timestep", {in.rows}) * of_1000},
      {"img_ids", nn::constant(places, {static_cast<std::int64_t>(places.size()) / 3, 3})},
      {"txt_ids", nn::constant(origins, {in.sequence_length, 3})}};
  if (c.guidance_embeds) {
    inputs.push_back({"guidance", graph.input("guidance", {in.rows}) * of_1000});
  }
  return unpack_latents(nn::ir_network(ir, inputs, {"out_sample"}).front(), in.height, in.width);
}

}  // namespace

Result<void> FluxTransformer2DModel::run(const TransformerInputs& in, std::span<float> velocity) {
  auto network = shapes_.get(
      fmt::format("{}x{}x{}x{} text {}", in.rows, config_.in_channels / 4, in.height, in.width,
                  in.sequence_length),
      [&](nn::Graph& graph, const WeightScope& w) {
        graph.output("velocity", shapes_.ir().empty() ? write_network(graph, w, config_, in)
                                                      : write_ir(graph, shapes_.ir(), config_, in));
      });
  if (!network) return network.error();
  return run_transformer(**network, in,
                         shapes_.ir().empty() ? TimeForm::Sinusoids : TimeForm::Plain, velocity);
}

}  // namespace limner::models
