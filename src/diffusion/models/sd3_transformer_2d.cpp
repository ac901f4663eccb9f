#include "diffusion/models/sd3_transformer_2d.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/models/config_reader.hpp"
#include "diffusion/models/modulation.hpp"
#include "diffusion/models/patch_embed.hpp"
#include "nn/ir_network.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

Result<SD3TransformerConfig> SD3TransformerConfig::parse(const Component& component) {
  SD3TransformerConfig c;
  ConfigReader r(component.config, component.where);
  c.sample_size = r.integer("sample_size", c.sample_size);
  c.patch_size = r.integer("patch_size", c.patch_size);
  c.in_channels = r.integer("in_channels", c.in_channels);
  c.out_channels = r.integer("out_channels", c.in_channels);
  if (!component.config.contains("out_channels")) c.out_channels = 16;
  c.num_layers = r.integer("num_layers", c.num_layers);
  c.attention_head_dim = r.integer("attention_head_dim", c.attention_head_dim);
  c.num_attention_heads = r.integer("num_attention_heads", c.num_attention_heads);
  c.joint_attention_dim = r.integer("joint_attention_dim", c.joint_attention_dim);
  c.caption_projection_dim = r.integer("caption_projection_dim", c.caption_projection_dim);
  c.pooled_projection_dim = r.integer("pooled_projection_dim", c.pooled_projection_dim);
  c.pos_embed_max_size = r.integer("pos_embed_max_size", c.pos_embed_max_size);
  c.dual_attention_layers = r.integers("dual_attention_layers", {});
  r.require("qk_norm", "rms_norm");
  c.has_qk_norm = !r.is_null_or_absent("qk_norm");
  for (const auto size :
       {c.sample_size, c.patch_size, c.in_channels, c.out_channels, c.num_layers,
        c.attention_head_dim, c.num_attention_heads, c.joint_attention_dim,
        c.caption_projection_dim, c.pooled_projection_dim, c.pos_embed_max_size}) {
    if (size <= 0 || size > 1'000'000) r.fail("sample_size", "sizes must be positive");
  }
  if (c.caption_projection_dim != c.width()) {
    r.fail("caption_projection_dim",
           fmt::format("got {}, expected the width of the heads together, {}",
                       c.caption_projection_dim, c.width()));
  }
  if (auto ok = r.finish(); !ok) return ok.error();
  return c;
}

JointTokens sd3_joint_block(const JointTokens& tokens, const Value& temb, const WeightScope& w,
                            const JointBlockOptions& options) {
  const JointAttentionOptions attention{.heads = options.heads,
                                        .has_qk_norm = options.has_qk_norm,
                                        .is_context_needed = options.is_context_needed};
  const Modulated m = options.has_dual_attention
                          ? ada_layer_norm_zero_x(tokens.x, temb, w / "norm1")
                          : ada_layer_norm_zero(tokens.x, temb, w / "norm1");
  const WeightScope norm1_context = w / "norm1_context";
  const Modulated c =
      options.is_context_needed
          ? ada_layer_norm_zero(tokens.context, temb, norm1_context)
          : Modulated{.x = ada_layer_norm_continuous(tokens.context, temb, norm1_context)};
  const JointTokens seen = joint_attention({m.x, c.x}, w / "attn", attention);

  Value x = tokens.x + m.gate_msa * seen.x;
  if (options.has_dual_attention) {
    x = x + m.gate_msa_2 * self_attention(m.x_2, w / "attn2", attention);
  }
  x = x + m.gate_mlp *
              gelu_feed_forward(modulate(plain_layer_norm(x), m.shift_mlp, m.scale_mlp), w / "ff");
  if (!options.is_context_needed) return {x, {}};
  Value context = tokens.context + c.gate_msa * seen.context;
  context = context + c.gate_mlp * gelu_feed_forward(modulate(plain_layer_norm(context),
                                                              c.shift_mlp, c.scale_mlp),
                                                     w / "ff_context");
  return {x, context};
}

SD3Transformer2DModel::SD3Transformer2DModel(runtime::Runtime& runtime, const Component& component,
                                             SD3TransformerConfig config,
                                             const NetworkOptions& options)
    : config_(std::move(config)), shapes_(runtime, component, options) {}

Result<SD3Transformer2DModel> SD3Transformer2DModel::load(runtime::Runtime& runtime,
                                                          const Component& component,
                                                          const NetworkOptions& options) {
  auto config = SD3TransformerConfig::parse(component);
  if (!config) return config.error();
  return SD3Transformer2DModel(runtime, component, *std::move(config), options);
}

Result<void> SD3Transformer2DModel::run(const TransformerInputs& in, std::span<float> velocity) {
  const auto write = [&](nn::Graph& graph, const WeightScope& w) {
    const SD3TransformerConfig& c = config_;
    const Value sample = graph.input("sample", {in.rows, c.in_channels, in.height, in.width});
    const Value text =
        graph.input("encoder_hidden_states", {in.rows, in.sequence_length, c.joint_attention_dim});
    if (!shapes_.ir().empty()) {
      const Value time = graph.input("timestep", {in.rows});
      const Value pooled = graph.input("pooled", {in.rows, c.pooled_projection_dim});
      graph.output("velocity", nn::ir_network(shapes_.ir(),
                                              {{"hidden_states", sample},
                                               {"encoder_hidden_states", text},
                                               {"pooled_projections", pooled},
                                               {"timestep", time}},
                                              {"out_sample"})
                                   .front());
      return;
    }
    const Value temb = timestep_text_embedding(
        {.time = graph.input("timestep", {in.rows, kTimeChannels}),
         .guidance = {},
         .pooled = graph.input("pooled", {in.rows, c.pooled_projection_dim})},
        w / "time_text_embed");
    JointTokens tokens{
        patch_embed(sample, w / "pos_embed",
                    {.patch_size = c.patch_size, .pos_embed_max_size = c.pos_embed_max_size}),
        nn::linear(text, w / "context_embedder")};
    for (std::int64_t i = 0; i < c.num_layers; ++i) {
      const bool is_dual =
          std::ranges::find(c.dual_attention_layers, i) != c.dual_attention_layers.end();
      tokens = sd3_joint_block(tokens, temb, w / "transformer_blocks" / static_cast<std::size_t>(i),
                               {.heads = c.num_attention_heads,
                                .has_qk_norm = c.has_qk_norm,
                                .has_dual_attention = is_dual,
                                .is_context_needed = i + 1 < c.num_layers});
    }
    const Value last =
        nn::linear(ada_layer_norm_continuous(tokens.x, temb, w / "norm_out"), w / "proj_out");
    graph.output("velocity", unpatchify(last, c.patch_size, in.height, in.width));
  };
  auto network = shapes_.get(fmt::format("{}x{}x{}x{} text {}", in.rows, config_.in_channels,
                                         in.height, in.width, in.sequence_length),
                             write);
  if (!network) return network.error();
  return run_transformer(**network, in,
                         shapes_.ir().empty() ? TimeForm::Sinusoids : TimeForm::Plain, velocity);
}

}  // namespace limner::models
