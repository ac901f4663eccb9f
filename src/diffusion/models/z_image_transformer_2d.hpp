// ZImageTransformer2DModel: the denoiser of Z-Image (Tongyi 2025). Picture and caption are refined
// apart, then run as one sequence, the picture first. Each is padded to a multiple of 32 tokens
// with a learned token that is attended to like any other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "diffusion/models/joint_attention.hpp"
#include "nn/ops.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

// config.json of the component, with diffusers' names and defaults.
struct ZImageTransformerConfig {
  std::int64_t in_channels = 16;
  std::int64_t dim = 3840;
  std::int64_t n_layers = 30;
  std::int64_t n_refiner_layers = 2;
  std::int64_t n_heads = 30;
  double norm_eps = 1e-5;
  bool qk_norm = true;
  std::int64_t cap_feat_dim = 2560;
  double rope_theta = 256;
  double t_scale = 1000;
  std::vector<std::int64_t> axes_dims;  // of the head's width: for the caption, row and column
  std::vector<std::int64_t> axes_lens;  // positions along each

  static constexpr std::int64_t kPatchSize = 2;        // the pipelines take no other
  static constexpr std::int64_t kTokensMultiple = 32;  // of picture and caption

  static Result<ZImageTransformerConfig> parse(const Component& component);
  // Caption tokens that leave room for the picture's position after them.
  std::int64_t caption_length_max() const;
};

class ZImageTransformer2DModel {
 public:
  static Result<ZImageTransformer2DModel> load(runtime::Runtime& runtime, Component component,
                                               const NetworkOptions& options = {});

  const ZImageTransformerConfig& config() const { return config_; }

  // One row each, with captions of any length up to caption_length_max().
  struct Inputs {
    std::int64_t height = 0;  // of the latent, even
    std::int64_t width = 0;
    std::span<const float> sample = {};                 // [B, C, h, w]
    std::vector<float> times = {};                      // [B]: 0 is noise, 1 the picture
    std::vector<const runtime::Tensor*> captions = {};  // [1, S_i, cap_feat_dim] each
  };
  // → from noise to picture [B, C, h, w]: the opposite of the velocities that schedulers take.
  Result<void> run(const Inputs& inputs, std::span<float> direction);

 private:
  ZImageTransformer2DModel(runtime::Runtime& runtime, const Component& component,
                           ZImageTransformerConfig config, const NetworkOptions& options);

  ZImageTransformerConfig config_;
  CompiledShapes shapes_;
};

struct ZImageBlockOptions {
  double norm_eps = 1e-5;
  JointAttentionOptions attention;
};
// ZImageTransformerBlock. x [B, S, D], temb [B, 256 or D] where the block is modulated, else empty.
nn::Value z_image_block(const nn::Value& x, const nn::Value& temb, const nn::WeightScope& w,
                        const ZImageBlockOptions& options);

}  // namespace limner::models
