// UNet2DConditionModel: the denoiser of Stable Diffusion 1, 2 and XL.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "diffusion/models/timestep_embedding.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

// config.json of the component, with diffusers' names and defaults. Per-block values are spread to
// one entry a block.
struct UNet2DConditionConfig {
  std::int64_t sample_height = 64;  // latent of the model's own size; 0 when the file has none
  std::int64_t sample_width = 64;
  std::int64_t in_channels = 4;
  std::int64_t out_channels = 4;
  bool center_input_sample = false;
  SinusoidOptions time_proj;
  std::vector<std::string> down_block_types;
  std::vector<std::string> up_block_types;
  std::optional<std::string> mid_block_type;
  std::vector<bool> only_cross_attention;
  std::vector<std::int64_t> block_out_channels;
  std::vector<std::int64_t> layers_per_block;
  int downsample_padding = 1;
  double mid_block_scale_factor = 1;
  std::string act_fn = "silu";
  int norm_num_groups = 32;
  double norm_eps = 1e-5;
  std::vector<std::int64_t> cross_attention_dim;
  // One number a layer; the mid block uses the last.
  std::vector<std::vector<std::int64_t>> transformer_layers_per_block;
  std::vector<std::vector<std::int64_t>> up_transformer_layers_per_block;
  // Named attention_head_dim in the file, and meant as the number of heads (diffusers issue 2011);
  // AttnDownBlock2D and AttnUpBlock2D alone read it as the width of one head.
  std::vector<std::int64_t> attention_head_dim;
  bool use_linear_projection = false;
  std::optional<std::string> encoder_hid_dim_type;
  std::int64_t encoder_hid_dim = 0;
  std::optional<std::string> class_embed_type;
  bool class_embeddings_concat = false;
  std::optional<std::string> addition_embed_type;
  std::int64_t addition_time_embed_dim = 0;
  std::int64_t projection_class_embeddings_input_dim = 0;
  bool scale_shift = false;
  bool skip_time_act = false;
  double resnet_out_scale_factor = 1;
  std::optional<std::string> time_embedding_act_fn;
  std::optional<std::string> timestep_post_act;
  std::int64_t time_cond_proj_dim = 0;

  std::size_t block_count() const { return block_out_channels.size(); }
  bool has_text_time() const { return addition_embed_type == "text_time"; }
  std::int64_t text_width() const {
    return encoder_hid_dim_type ? encoder_hid_dim : cross_attention_dim.back();
  }
  static Result<UNet2DConditionConfig> parse(const Component& component);
};

class UNet2DConditionModel {
 public:
  static Result<UNet2DConditionModel> load(runtime::Runtime& runtime, const Component& component,
                                           const NetworkOptions& options = {});

  const UNet2DConditionConfig& config() const { return config_; }

  // B rows, each with its own time. All spans are row-major and borrowed for the call.
  struct Inputs {
    std::int64_t rows = 0;
    std::int64_t height = 0;  // of the latent
    std::int64_t width = 0;
    std::int64_t sequence_length = 0;
    std::span<const float> sample;                 // [B, C_in, h, w]
    std::span<const float> timesteps;              // [B], may be fractional
    std::span<const float> encoder_hidden_states;  // [B, S, D]
    std::span<const float> text_embeds = {};       // [B, D_pooled]; SDXL
    std::span<const float> time_ids = {};          // [B, 6]; SDXL
    std::span<const float> timestep_cond = {};     // [B, time_cond_proj_dim]; LCM, may be absent
    std::span<const float> class_labels = {};      // [B, D]; with class_embed_type
  };
  // noise_pred [B, C_out, h, w]
  Result<void> run(const Inputs& inputs, std::span<float> noise_pred);

 private:
  UNet2DConditionModel(runtime::Runtime& runtime, const Component& component,
                       UNet2DConditionConfig config, const NetworkOptions& options);

  UNet2DConditionConfig config_;
  CompiledShapes shapes_;
};

}  // namespace limner::models
