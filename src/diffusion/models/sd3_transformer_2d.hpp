// SD3Transformer2DModel: the denoiser of Stable Diffusion 3 and 3.5 (MMDiT, Esser et al. 2024).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "diffusion/models/joint_attention.hpp"
#include "diffusion/models/timestep_text_embedding.hpp"

namespace limner::models {

// config.json of the component, with diffusers' names and defaults.
struct SD3TransformerConfig {
  std::int64_t sample_size = 128;  // latent side of the model's own size
  std::int64_t patch_size = 2;
  std::int64_t in_channels = 16;
  std::int64_t out_channels = 16;
  std::int64_t num_layers = 18;
  std::int64_t attention_head_dim = 64;
  std::int64_t num_attention_heads = 18;
  std::int64_t joint_attention_dim = 4096;
  std::int64_t caption_projection_dim = 1152;
  std::int64_t pooled_projection_dim = 2048;
  std::int64_t pos_embed_max_size = 96;
  std::vector<std::int64_t> dual_attention_layers;  // SD3.5
  bool has_qk_norm = false;                         // qk_norm: "rms_norm"

  std::int64_t width() const { return attention_head_dim * num_attention_heads; }
  static Result<SD3TransformerConfig> parse(const Component& component);
};

class SD3Transformer2DModel {
 public:
  static Result<SD3Transformer2DModel> load(runtime::Runtime& runtime, const Component& component,
                                            const NetworkOptions& options = {});

  const SD3TransformerConfig& config() const { return config_; }

  // velocity [B, C_out, h, w]
  Result<void> run(const TransformerInputs& inputs, std::span<float> velocity);

 private:
  SD3Transformer2DModel(runtime::Runtime& runtime, const Component& component,
                        SD3TransformerConfig config, const NetworkOptions& options);

  SD3TransformerConfig config_;
  CompiledShapes shapes_;
};

struct JointBlockOptions {
  std::int64_t heads = 0;
  bool has_qk_norm = false;
  bool has_dual_attention = false;
  bool is_context_needed = true;
};
// JointTransformerBlock. temb [B, D].
JointTokens sd3_joint_block(const JointTokens& tokens, const nn::Value& temb,
                            const nn::WeightScope& w, const JointBlockOptions& options);

}  // namespace limner::models
