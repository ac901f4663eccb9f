#include "weights/checkpoint_configs.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include <boost/json/value_from.hpp>
#include <fmt/format.h>

namespace limner::weights {
namespace {

// Far above any network's; keeps products of two from overflowing.
constexpr std::int64_t kDimensionMax = 1 << 28;

// Shapes of tensors by name. The first that is missing is kept for the error.
class Shapes {
 public:
  explicit Shapes(const TensorMap& tensors) : tensors_(tensors) {}

  bool has(std::string_view name) const { return tensors_.contains(name); }

  std::int64_t size(std::string_view name, std::size_t axis) {
    const auto it = tensors_.find(name);
    if (it != tensors_.end() && axis < it->second.shape.size()) {
      const std::int64_t size = it->second.shape[axis];
      if (size > 0 && size <= kDimensionMax) return size;
    }
    if (!problem_) problem_ = std::string(name);
    return 1;  // harmless in the arithmetic that follows; finish() reports it
  }

  std::size_t rank(std::string_view name) const {
    const auto it = tensors_.find(name);
    return it == tensors_.end() ? 0 : it->second.shape.size();
  }

  // How many of `stem`0., `stem`1., … there are.
  std::int64_t count(std::string_view stem) const {
    std::int64_t n = 0;
    while (true) {
      const std::string name = fmt::format("{}{}.", stem, n);
      const auto it = tensors_.lower_bound(name);
      if (it == tensors_.end() || !it->first.starts_with(name)) return n;
      ++n;
    }
  }

  Result<json::object> finish(json::object config) const {
    if (!problem_) return config;
    return Error{
        .kind = ErrorKind::InvalidArgument,
        .message = fmt::format("tensor {} is missing or its shape makes no sense", *problem_),
        .code = "invalid_weights"};
  }

 private:
  const TensorMap& tensors_;
  std::optional<std::string> problem_;
};

// Both of Stability AI's UNets with linear projections, and every CLIP, have heads of this width.
constexpr std::int64_t kHeadWidth = 64;
constexpr std::int64_t kSd1Heads = 8;

// One entry of down_blocks or up_blocks.
struct UnetBlock {
  std::int64_t channels = 0;
  std::int64_t layers = 0;
  std::int64_t depth = 0;  // transformer blocks in each attention; 0: no attention
};

UnetBlock unet_block(Shapes& shapes, const std::string& scope) {
  return {.channels = shapes.size(scope + "resnets.0.conv1.weight", 0),
          .layers = shapes.count(scope + "resnets."),
          .depth = shapes.count(scope + "attentions.0.transformer_blocks.")};
}

// A list, or its one value where all are equal, as configs are written.
json::value one_or_all(const std::vector<std::int64_t>& values) {
  const bool all_equal = std::all_of(values.begin(), values.end(),
                                     [&](std::int64_t value) { return value == values.front(); });
  return all_equal && !values.empty() ? json::value(values.front()) : json::value_from(values);
}

std::int64_t latent_side(CheckpointKind kind) {
  switch (kind) {
    case CheckpointKind::StableDiffusion1:
      return 64;
    case CheckpointKind::StableDiffusion2:
      return 96;
    case CheckpointKind::SDXL:
    case CheckpointKind::SDXLRefiner:
    case CheckpointKind::SD3:
    case CheckpointKind::Flux:
      return 128;
  }
  return 64;
}

// What SDXL appends to its pooled text: sizes, crop and target, or for the refiner an aesthetic
// score in place of the target.
std::int64_t time_id_count(CheckpointKind kind) {
  return kind == CheckpointKind::SDXLRefiner ? 5 : 6;
}

}  // namespace

Result<json::object> unet_config(const TensorMap& unet, CheckpointKind kind,
                                 std::int64_t pooled_width) {
  Shapes shapes(unet);
  std::vector<std::int64_t> channels;
  std::vector<std::int64_t> layers;
  std::vector<std::int64_t> depths;
  std::vector<std::int64_t> heads;
  json::array down_types;
  json::array up_types;
  const std::string attention = "mid_block.attentions.0.";
  const std::int64_t mid_depth = shapes.count(attention + "transformer_blocks.");
  const bool is_linear = shapes.rank(attention + "proj_in.weight") == 2;
  const std::int64_t count = shapes.count("down_blocks.");
  for (std::int64_t i = 0; i < count; ++i) {
    const UnetBlock down = unet_block(shapes, fmt::format("down_blocks.{}.", i));
    const UnetBlock up = unet_block(shapes, fmt::format("up_blocks.{}.", i));
    channels.push_back(down.channels);
    layers.push_back(down.layers);
    heads.push_back(is_linear ? std::max<std::int64_t>(down.channels / kHeadWidth, 1) : kSd1Heads);
    // The middle takes the last block's depth, whether or not that block attends itself.
    const std::int64_t own_depth = i + 1 == count ? mid_depth : down.depth;
    depths.push_back(std::max<std::int64_t>(own_depth, 1));
    down_types.emplace_back(down.depth > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D");
    up_types.emplace_back(up.depth > 0 ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  json::object config = {
      {"_class_name", "UNet2DConditionModel"},
      {"sample_size", latent_side(kind)},
      {"in_channels", shapes.size("conv_in.weight", 1)},
      {"out_channels", shapes.size("conv_out.weight", 0)},
      {"block_out_channels", json::value_from(channels)},
      {"down_block_types", std::move(down_types)},
      {"up_block_types", std::move(up_types)},
      {"layers_per_block", one_or_all(layers)},
      {"transformer_layers_per_block", one_or_all(depths)},
      {"attention_head_dim", one_or_all(heads)},
      {"cross_attention_dim", shapes.size(attention + "transformer_blocks.0.attn2.to_k.weight", 1)},
      {"use_linear_projection", is_linear},
  };
  if (shapes.has("add_embedding.linear_1.weight")) {
    const std::int64_t width = shapes.size("add_embedding.linear_1.weight", 1);
    const std::int64_t rest = width - pooled_width;
    const std::int64_t ids = time_id_count(kind);
    config["addition_embed_type"] = "text_time";
    config["projection_class_embeddings_input_dim"] = width;
    config["addition_time_embed_dim"] =
        pooled_width > 0 && rest > 0 && rest % ids == 0 ? rest / ids : 256;
  }
  if (shapes.has("time_embedding.cond_proj.weight")) {
    config["time_cond_proj_dim"] = shapes.size("time_embedding.cond_proj.weight", 1);
  }
  return shapes.finish(std::move(config));
}

Result<json::object> vae_config(const TensorMap& vae, CheckpointKind kind) {
  Shapes shapes(vae);
  const std::int64_t count = shapes.count("encoder.down_blocks.");
  std::vector<std::int64_t> channels;
  for (std::int64_t i = 0; i < count; ++i) {
    channels.push_back(
        shapes.size(fmt::format("encoder.down_blocks.{}.resnets.0.conv1.weight", i), 0));
  }
  double scale = 0.18215;
  std::optional<double> shift;
  if (kind == CheckpointKind::SDXL || kind == CheckpointKind::SDXLRefiner) scale = 0.13025;
  if (kind == CheckpointKind::SD3) {
    scale = 1.5305;
    shift = 0.0609;
  }
  if (kind == CheckpointKind::Flux) {
    scale = 0.3611;
    shift = 0.1159;
  }
  return shapes.finish({
      {"_class_name", "AutoencoderKL"},
      {"sample_size", latent_side(kind) * 8},
      {"in_channels", shapes.size("encoder.conv_in.weight", 1)},
      {"out_channels", shapes.size("decoder.conv_out.weight", 0)},
      {"latent_channels", shapes.size("decoder.conv_in.weight", 1)},
      {"block_out_channels", json::value_from(channels)},
      {"down_block_types", json::array(static_cast<std::size_t>(count), "DownEncoderBlock2D")},
      {"up_block_types", json::array(static_cast<std::size_t>(count), "UpDecoderBlock2D")},
      {"layers_per_block", shapes.count("encoder.down_blocks.0.resnets.")},
      {"mid_block_add_attention", shapes.has("encoder.mid_block.attentions.0.group_norm.weight")},
      {"use_quant_conv", shapes.has("quant_conv.weight")},
      {"use_post_quant_conv", shapes.has("post_quant_conv.weight")},
      {"scaling_factor", scale},
      {"shift_factor", shift ? json::value(*shift) : json::value()},
  });
}

Result<json::object> clip_config(const TensorMap& encoder, std::string_view activation) {
  Shapes shapes(encoder);
  const std::string embeddings = "text_model.embeddings.";
  const std::int64_t width = shapes.size(embeddings + "token_embedding.weight", 1);
  const std::int64_t vocab_size = shapes.size(embeddings + "token_embedding.weight", 0);
  const bool has_projection = shapes.has("text_projection.weight");
  return shapes.finish({
      {"architectures",
       json::array{has_projection ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
      {"model_type", "clip_text_model"},
      {"vocab_size", vocab_size},
      {"hidden_size", width},
      {"intermediate_size", shapes.size("text_model.encoder.layers.0.mlp.fc1.weight", 0)},
      {"num_hidden_layers", shapes.count("text_model.encoder.layers.")},
      {"num_attention_heads", std::max<std::int64_t>(width / kHeadWidth, 1)},
      {"max_position_embeddings", shapes.size(embeddings + "position_embedding.weight", 0)},
      {"hidden_act", activation},
      {"layer_norm_eps", 1e-5},
      {"bos_token_id", vocab_size - 2},
      {"eos_token_id", vocab_size - 1},
      {"projection_dim", has_projection ? shapes.size("text_projection.weight", 0) : width},
  });
}

Result<json::object> t5_config(const TensorMap& encoder) {
  Shapes shapes(encoder);
  const std::string layer = "encoder.block.0.layer.";
  const std::string attention = layer + "0.SelfAttention.";
  const std::int64_t heads = shapes.size(attention + "relative_attention_bias.weight", 1);
  const bool is_gated = shapes.has(layer + "1.DenseReluDense.wi_0.weight");
  return shapes.finish({
      {"architectures", json::array{"T5EncoderModel"}},
      {"model_type", "t5"},
      {"vocab_size", shapes.size("shared.weight", 0)},
      {"d_model", shapes.size("shared.weight", 1)},
      {"d_kv", shapes.size(attention + "q.weight", 0) / heads},
      {"d_ff",
       shapes.size(
           layer + (is_gated ? "1.DenseReluDense.wi_0.weight" : "1.DenseReluDense.wi.weight"), 0)},
      {"num_layers", shapes.count("encoder.block.")},
      {"num_heads", heads},
      {"relative_attention_num_buckets",
       shapes.size(attention + "relative_attention_bias.weight", 0)},
      {"relative_attention_max_distance", 128},
      {"feed_forward_proj", is_gated ? "gated-gelu" : "relu"},
      {"layer_norm_epsilon", 1e-6},
  });
}

Result<json::object> sd3_config(const TensorMap& transformer) {
  Shapes shapes(transformer);
  const std::int64_t width = shapes.size("context_embedder.weight", 0);
  const std::int64_t layers = shapes.count("transformer_blocks.");
  const bool has_norms = shapes.has("transformer_blocks.0.attn.norm_q.weight");
  const std::int64_t head =
      has_norms ? shapes.size("transformer_blocks.0.attn.norm_q.weight", 0) : kHeadWidth;
  const std::int64_t patch = shapes.size("pos_embed.proj.weight", 2);
  const std::int64_t positions = shapes.size("pos_embed.pos_embed", 1);
  json::array dual;
  for (std::int64_t i = 0; i < layers; ++i) {
    if (shapes.has(fmt::format("transformer_blocks.{}.attn2.to_q.weight", i))) dual.emplace_back(i);
  }
  return shapes.finish({
      {"_class_name", "SD3Transformer2DModel"},
      {"sample_size", 128},
      {"patch_size", patch},
      {"in_channels", shapes.size("pos_embed.proj.weight", 1)},
      {"out_channels", shapes.size("proj_out.weight", 0) / (patch * patch)},
      {"num_layers", layers},
      {"attention_head_dim", head},
      {"num_attention_heads", std::max<std::int64_t>(width / head, 1)},
      {"joint_attention_dim", shapes.size("context_embedder.weight", 1)},
      {"caption_projection_dim", width},
      {"pooled_projection_dim", shapes.size("time_text_embed.text_embedder.linear_1.weight", 1)},
      {"pos_embed_max_size",
       static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(positions))))},
      {"dual_attention_layers", std::move(dual)},
      {"qk_norm", has_norms ? json::value("rms_norm") : json::value()},
  });
}

Result<json::object> flux_config(const TensorMap& transformer) {
  Shapes shapes(transformer);
  const std::int64_t width = shapes.size("x_embedder.weight", 0);
  const std::int64_t in_channels = shapes.size("x_embedder.weight", 1);
  const std::int64_t out_channels = shapes.size("proj_out.weight", 0);
  const std::int64_t head = shapes.size("transformer_blocks.0.attn.norm_q.weight", 0);
  // Of 128: 16 for the image's index, 56 each for row and column.
  const std::int64_t index_width = std::max<std::int64_t>(head / 16, 1) * 2;
  const std::int64_t side_width = (head - index_width) / 2;
  return shapes.finish({
      {"_class_name", "FluxTransformer2DModel"},
      {"patch_size", 1},
      {"in_channels", in_channels},
      {"out_channels", out_channels == in_channels ? json::value() : json::value(out_channels)},
      {"num_layers", shapes.count("transformer_blocks.")},
      {"num_single_layers", shapes.count("single_transformer_blocks.")},
      {"attention_head_dim", head},
      {"num_attention_heads", width / head},
      {"joint_attention_dim", shapes.size("context_embedder.weight", 1)},
      {"pooled_projection_dim", shapes.size("time_text_embed.text_embedder.linear_1.weight", 1)},
      {"guidance_embeds", shapes.has("time_text_embed.guidance_embedder.linear_1.weight")},
      {"axes_dims_rope", json::array{index_width, side_width, side_width}},
  });
}

json::object scheduler_config(CheckpointKind kind, bool predicts_v, bool has_guidance) {
  if (kind == CheckpointKind::SD3 || kind == CheckpointKind::Flux) {
    json::object config = {{"_class_name", "FlowMatchEulerDiscreteScheduler"},
                           {"num_train_timesteps", 1000},
                           {"shift", kind == CheckpointKind::SD3 || has_guidance ? 3.0 : 1.0}};
    if (kind == CheckpointKind::Flux) {
      config["use_dynamic_shifting"] = has_guidance;
      config["base_shift"] = 0.5;
      config["max_shift"] = 1.15;
      config["base_image_seq_len"] = 256;
      config["max_image_seq_len"] = 4096;
    }
    return config;
  }
  json::object config = {{"num_train_timesteps", 1000},
                         {"beta_start", 0.00085},
                         {"beta_end", 0.012},
                         {"beta_schedule", "scaled_linear"},
                         {"prediction_type", predicts_v ? "v_prediction" : "epsilon"},
                         {"steps_offset", 1},
                         {"timestep_spacing", "leading"}};
  switch (kind) {
    case CheckpointKind::StableDiffusion1:
      config["_class_name"] = "PNDMScheduler";
      config["skip_prk_steps"] = true;
      config["set_alpha_to_one"] = false;
      break;
    case CheckpointKind::StableDiffusion2:
      config["_class_name"] = "DDIMScheduler";
      config["clip_sample"] = false;
      config["set_alpha_to_one"] = false;
      break;
    case CheckpointKind::SDXL:
    case CheckpointKind::SDXLRefiner:
    case CheckpointKind::SD3:
    case CheckpointKind::Flux:
      config["_class_name"] = "EulerDiscreteScheduler";
      config["interpolation_type"] = "linear";
      break;
  }
  return config;
}

}  // namespace limner::weights
