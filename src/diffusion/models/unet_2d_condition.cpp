#include "diffusion/models/unet_2d_condition.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "diffusion/models/resnet.hpp"
#include "diffusion/models/transformer_2d.hpp"
#include "nn/ir_network.hpp"
#include "nn/ops.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

// Writes one graph: the same values go to every block, so they live here.
class UNetWriter {
 public:
  UNetWriter(const UNet2DConditionConfig& config, Value temb, Value context)
      : c_(config), temb_(std::move(temb)), context_(std::move(context)) {}

  // sample [B, C_in, h, w] → [B, C_out, h, w]
  Value write(const Value& sample, const WeightScope& w) {
    Value h = nn::conv2d(c_.center_input_sample ? sample * 2.0 - 1.0 : sample, w / "conv_in");
    skips_.push_back(h);
    for (std::size_t i = 0; i < c_.block_count(); ++i) h = down_block(h, w / "down_blocks" / i, i);
    if (c_.mid_block_type) h = mid_block(h, w / "mid_block");
    for (std::size_t i = 0; i < c_.block_count(); ++i) h = up_block(h, w / "up_blocks" / i, i);
    h = nn::group_norm(h, w / "conv_norm_out", c_.norm_num_groups, c_.norm_eps);
    return nn::conv2d(nn::activation(h, c_.act_fn), w / "conv_out");
  }

 private:
  ResnetOptions resnet_options() const {
    return {.groups = c_.norm_num_groups,
            .eps = c_.norm_eps,
            .act_fn = c_.act_fn,
            .scale_shift = c_.scale_shift};
  }

  // Only the two Resnet… block types read resnet_skip_time_act and resnet_out_scale_factor.
  ResnetOptions resampling_options(ResnetOptions::Resample resample) const {
    ResnetOptions options = resnet_options();
    options.skip_time_act = c_.skip_time_act;
    options.output_scale_factor = c_.resnet_out_scale_factor;
    options.resample = resample;
    return options;
  }

  Transformer2DOptions transformer_options(std::size_t block, std::int64_t layers) const {
    return {.heads = c_.attention_head_dim[block],
            .layers = layers,
            .norm_num_groups = c_.norm_num_groups,
            .use_linear_projection = c_.use_linear_projection,
            .only_cross_attention = c_.only_cross_attention[block]};
  }

  Value single_attention(const Value& h, const WeightScope& w, std::size_t block) const {
    return attention_block(h, w, h.dim(1) / c_.attention_head_dim[block], c_.norm_num_groups,
                           c_.norm_eps);
  }

  Value down_block(Value h, const WeightScope& w, std::size_t i) {
    const std::string& type = c_.down_block_types[i];
    const bool is_resnet_type = type == "ResnetDownsampleBlock2D";
    const auto options =
        is_resnet_type ? resampling_options(ResnetOptions::Resample::None) : resnet_options();
    for (std::size_t j = 0; j < static_cast<std::size_t>(c_.layers_per_block[i]); ++j) {
      h = resnet_block(h, temb_, w / "resnets" / j, options);
      if (type == "CrossAttnDownBlock2D") {
        const auto layers = c_.transformer_layers_per_block[i][j];
        h = transformer_2d(h, context_, w / "attentions" / j, transformer_options(i, layers));
      } else if (type == "AttnDownBlock2D") {
        h = single_attention(h, w / "attentions" / j, i);
      }
      skips_.push_back(h);
    }
    if (i + 1 == c_.block_count()) return h;
    const WeightScope down = w / "downsamplers" / 0;
    h = is_resnet_type
            ? resnet_block(h, temb_, down, resampling_options(ResnetOptions::Resample::Down))
            : downsample_2d(h, down, c_.downsample_padding);
    skips_.push_back(h);
    return h;
  }

  Value mid_block(Value h, const WeightScope& w) const {
    ResnetOptions options = resnet_options();
    options.output_scale_factor = c_.mid_block_scale_factor;
    h = resnet_block(h, temb_, w / "resnets" / 0, options);
    if (*c_.mid_block_type == "UNetMidBlock2D") return h;
    const std::size_t last = c_.block_count() - 1;
    const auto& layers = c_.transformer_layers_per_block[last];
    auto attention = transformer_options(last, layers.empty() ? 1 : layers.front());
    attention.only_cross_attention = false;
    h = transformer_2d(h, context_, w / "attentions" / 0, attention);
    return resnet_block(h, temb_, w / "resnets" / 1, options);
  }

  Value up_block(Value h, const WeightScope& w, std::size_t i) {
    const std::string& type = c_.up_block_types[i];
    const std::size_t mirrored = c_.block_count() - 1 - i;
    const bool is_resnet_type = type == "ResnetUpsampleBlock2D";
    const auto options =
        is_resnet_type ? resampling_options(ResnetOptions::Resample::None) : resnet_options();
    const auto layer_count = static_cast<std::size_t>(c_.layers_per_block[mirrored]) + 1;
    for (std::size_t j = 0; j < layer_count; ++j) {
      if (skips_.empty())
        throw nn::GraphError("up blocks take more features than down blocks gave");
      h = nn::concat({h, skips_.back()}, 1);
      skips_.pop_back();
      h = resnet_block(h, temb_, w / "resnets" / j, options);
      if (type == "CrossAttnUpBlock2D") {
        const auto layers = c_.up_transformer_layers_per_block[i][j];
        h = transformer_2d(h, context_, w / "attentions" / j,
                           transformer_options(mirrored, layers));
      } else if (type == "AttnUpBlock2D") {
        // Not mirrored: diffusers takes the head width by the up block's own index.
        h = single_attention(h, w / "attentions" / j, i);
      }
    }
    if (i + 1 == c_.block_count()) return h;
    const WeightScope up = w / "upsamplers" / 0;
    if (is_resnet_type) {
      return resnet_block(h, temb_, up, resampling_options(ResnetOptions::Resample::Up));
    }
    // To the size of the next features: latents need not divide by every level.
    const Value& next = skips_.back();
    return upsample_2d(h, up, Size2D{next.dim(2), next.dim(3)});
  }

  const UNet2DConditionConfig& c_;
  Value temb_;
  Value context_;
  std::vector<Value> skips_;  // features of the way down, taken back on the way up
};

// emb [B, T] of the time and of what is added to it.
Value time_embedding(nn::Graph& graph, const WeightScope& w, const UNet2DConditionConfig& c,
                     const UNet2DConditionModel::Inputs& in) {
  Value t = graph.input("timestep", {in.rows, c.block_out_channels[0]});
  if (!in.timestep_cond.empty()) {
    const Value cond = graph.input("timestep_cond", {in.rows, c.time_cond_proj_dim});
    t = t + nn::linear(cond, w / "time_embedding" / "cond_proj");
  }
  Value emb = timestep_embedding(t, w / "time_embedding", c.act_fn);
  if (c.timestep_post_act) emb = nn::activation(emb, *c.timestep_post_act);
  if (c.class_embed_type) {
    const Value labels =
        graph.input("class_labels", {in.rows, c.projection_class_embeddings_input_dim});
    const WeightScope embed = w / "class_embedding";
    const Value added = *c.class_embed_type == "projection" ? timestep_embedding(labels, embed)
                                                            : nn::linear(labels, embed);
    emb = c.class_embeddings_concat ? nn::concat({emb, added}, -1) : emb + added;
  }
  if (c.has_text_time()) {
    const auto text_width = static_cast<std::int64_t>(in.text_embeds.size()) / in.rows;
    const auto time_width =
        static_cast<std::int64_t>(in.time_ids.size()) / in.rows * c.addition_time_embed_dim;
    const Value added = nn::concat({graph.input("text_embeds", {in.rows, text_width}),
                                    graph.input("time_ids", {in.rows, time_width})},
                                   -1);
    emb = emb + timestep_embedding(added, w / "add_embedding");
  }
  return c.time_embedding_act_fn ? nn::activation(emb, *c.time_embedding_act_fn) : emb;
}

// The exporter's network computes its sinusoids itself.
Value write_ir(nn::Graph& graph, const std::filesystem::path& ir, const Value& sample,
               const Value& context, const UNet2DConditionModel::Inputs& in) {
  const auto per_row = [&](std::span<const float> values) {
    return nn::Shape{in.rows, static_cast<std::int64_t>(values.size()) / in.rows};
  };
  std::vector<nn::IrInput> inputs = {{"sample", sample},
                                     {"timestep", graph.input("timestep", {in.rows})},
                                     {"encoder_hidden_states", context}};
  const std::array optional = {std::pair{"timestep_cond", in.timestep_cond},
                               std::pair{"text_embeds", in.text_embeds},
                               std::pair{"time_ids", in.time_ids}};
  for (const auto& [name, values] : optional) {
    if (!values.empty()) inputs.push_back({name, graph.input(name, per_row(values))});
  }
  return nn::ir_network(ir, inputs, {"out_sample"}).front();
}

}  // namespace

UNet2DConditionModel::UNet2DConditionModel(runtime::Runtime& runtime, const Component& component,
                                           UNet2DConditionConfig config,
                                           const NetworkOptions& options)
    : config_(std::move(config)), shapes_(runtime, component, options) {}

Result<UNet2DConditionModel> UNet2DConditionModel::load(runtime::Runtime& runtime,
                                                        const Component& component,
                                                        const NetworkOptions& options) {
  auto config = UNet2DConditionConfig::parse(component);
  if (!config) return config.error();
  return UNet2DConditionModel(runtime, component, *std::move(config), options);
}

Result<void> UNet2DConditionModel::run(const Inputs& in, std::span<float> noise_pred) {
  if (config_.class_embed_type && in.class_labels.empty()) {
    return Error{
        .kind = ErrorKind::Unsupported,
        .message = "this model's UNet wants class labels, which a text prompt does not give",
        .code = "unsupported_for_model"};
  }
  const auto write = [&](nn::Graph& graph, const WeightScope& w) {
    const Value sample = graph.input("sample", {in.rows, config_.in_channels, in.height, in.width});
    Value context =
        graph.input("encoder_hidden_states", {in.rows, in.sequence_length, config_.text_width()});
    if (!shapes_.ir().empty()) {
      graph.output("noise_pred", write_ir(graph, shapes_.ir(), sample, context, in));
      return;
    }
    const Value temb = time_embedding(graph, w, config_, in);
    if (config_.encoder_hid_dim_type) context = nn::linear(context, w / "encoder_hid_proj");
    graph.output("noise_pred", UNetWriter(config_, temb, context).write(sample, w));
  };
  auto network = shapes_.get(
      fmt::format("{}x{}x{}x{} text {} pooled {} cond {}", in.rows, config_.in_channels, in.height,
                  in.width, in.sequence_length, in.text_embeds.size(), in.timestep_cond.size()),
      write);
  if (!network) return network.error();

  const auto rows = static_cast<std::size_t>(in.rows);
  const auto side = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const bool is_ir = !shapes_.ir().empty();
  runtime::Tensor time({rows, side(config_.block_out_channels[0])});
  for (std::size_t i = 0; i < rows; ++i) {
    sinusoidal_embedding(in.timesteps[i], config_.time_proj, time.row(i));
  }
  std::vector<runtime::Input> inputs{
      {"sample", {rows, side(config_.in_channels), side(in.height), side(in.width)}, in.sample},
      {"timestep", is_ir ? runtime::Shape{rows} : time.shape(),
       is_ir ? in.timesteps : std::as_const(time).data()},
      {"encoder_hidden_states",
       {rows, side(in.sequence_length), side(config_.text_width())},
       in.encoder_hidden_states}};
  if (!in.timestep_cond.empty()) {
    inputs.push_back({"timestep_cond", {rows, side(config_.time_cond_proj_dim)}, in.timestep_cond});
  }
  if (config_.class_embed_type) {
    inputs.push_back({"class_labels", {rows, in.class_labels.size() / rows}, in.class_labels});
  }
  runtime::Tensor added_time;
  if (config_.has_text_time()) {
    const std::size_t per_row = in.time_ids.size() / rows;
    const std::size_t width = side(config_.addition_time_embed_dim);
    added_time = runtime::Tensor({rows, per_row * width});
    for (std::size_t i = 0; i < in.time_ids.size(); ++i) {
      sinusoidal_embedding(in.time_ids[i], config_.time_proj,
                           added_time.data().subspan(i * width, width));
    }
    inputs.push_back({"text_embeds", {rows, in.text_embeds.size() / rows}, in.text_embeds});
    inputs.push_back(
        is_ir ? runtime::Input{"time_ids", {rows, per_row}, in.time_ids}
              : runtime::Input{"time_ids", added_time.shape(), std::as_const(added_time).data()});
  }
  const runtime::Output output{"noise_pred", noise_pred};
  return (*network)->run(inputs, {&output, 1});
}

}  // namespace limner::models
