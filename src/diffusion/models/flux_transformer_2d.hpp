// FluxTransformer2DModel: the denoiser of FLUX.1 (Black Forest Labs 2024): blocks with a stream
// each for text and picture, then blocks with one stream for both.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "diffusion/models/joint_attention.hpp"
#include "diffusion/models/rotary_tables.hpp"
#include "diffusion/models/timestep_text_embedding.hpp"

namespace limner::models {

// config.json of the component, with diffusers' names and defaults. Channels count 2x2 patches: 64
// are 16 of the latent.
struct FluxTransformerConfig {
  std::int64_t in_channels = 64;
  std::int64_t out_channels = 64;
  std::int64_t num_layers = 19;
  std::int64_t num_single_layers = 38;
  std::int64_t attention_head_dim = 128;
  std::int64_t num_attention_heads = 24;
  std::int64_t joint_attention_dim = 4096;
  std::int64_t pooled_projection_dim = 768;
  bool guidance_embeds = false;
  std::vector<std::int64_t> axes_dims_rope;  // of the head's width: for a constant, row and column

  static Result<FluxTransformerConfig> parse(const Component& component);
};

class FluxTransformer2DModel {
 public:
  static Result<FluxTransformer2DModel> load(runtime::Runtime& runtime, const Component& component,
                                             const NetworkOptions& options = {});

  const FluxTransformerConfig& config() const { return config_; }

  // sample [B, in_channels / 4, h, w] with even sides; velocity [B, out_channels / 4, h, w].
  Result<void> run(const TransformerInputs& inputs, std::span<float> velocity);

 private:
  FluxTransformer2DModel(runtime::Runtime& runtime, const Component& component,
                         FluxTransformerConfig config, const NetworkOptions& options);

  FluxTransformerConfig config_;
  CompiledShapes shapes_;
};

// Angles of text tokens (all at the origin), then of a grid of picture tokens row by row: tables
// [S_text + rows * columns, d] of cosines and sines.
RotaryTables flux_rotary_tables(std::int64_t text_length, std::int64_t rows, std::int64_t columns,
                                const std::vector<std::int64_t>& axes_dims);

// FluxTransformerBlock. temb [B, D].
JointTokens flux_double_block(const JointTokens& tokens, const nn::Value& temb,
                              const nn::WeightScope& w, const JointAttentionOptions& attention);
// FluxSingleTransformerBlock. x [B, S_text + S, D].
nn::Value flux_single_block(const nn::Value& x, const nn::Value& temb, const nn::WeightScope& w,
                            const JointAttentionOptions& attention);

}  // namespace limner::models
