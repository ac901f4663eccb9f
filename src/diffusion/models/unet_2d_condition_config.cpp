#include <algorithm>

#include <fmt/format.h>

#include "diffusion/models/config_reader.hpp"
#include "diffusion/models/unet_2d_condition.hpp"

namespace limner::models {
namespace {

using Layers = std::vector<std::vector<std::int64_t>>;

// 1, [1, 2, 10] or [[1, 1], [2, 2], …]: transformer layers of each attention of each block.
Layers read_transformer_layers(ConfigReader& r, const json::object& config, std::string_view key,
                               const std::vector<std::int64_t>& attentions_per_block) {
  const std::size_t count = attentions_per_block.size();
  Layers layers;
  for (const auto n : attentions_per_block) {
    layers.emplace_back(static_cast<std::size_t>(n), std::int64_t{1});
  }
  const auto* value = config.if_contains(key);
  r.ignore({key});
  if (!value || value->is_null()) return layers;
  const auto fill = [&](std::size_t block, const json::value& v) {
    auto& row = layers[block];
    if (v.is_int64()) {
      row.assign(row.size(), v.get_int64());
      return true;
    }
    if (!v.is_array() || v.get_array().size() != row.size()) return false;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!v.get_array()[i].is_int64()) return false;
      row[i] = v.get_array()[i].get_int64();
    }
    return true;
  };
  bool ok = true;
  if (value->is_array() && value->get_array().size() == count) {
    for (std::size_t b = 0; b < count; ++b) ok = ok && fill(b, value->get_array()[b]);
  } else {
    ok = value->is_int64();
    for (std::size_t b = 0; ok && b < count; ++b) ok = fill(b, *value);
  }
  if (!ok) r.fail(key, fmt::format("expected one integer or {} entries", count));
  return layers;
}

constexpr std::string_view kDownBlocks[] = {"DownBlock2D", "CrossAttnDownBlock2D",
                                            "AttnDownBlock2D", "ResnetDownsampleBlock2D"};
constexpr std::string_view kUpBlocks[] = {"UpBlock2D", "CrossAttnUpBlock2D", "AttnUpBlock2D",
                                          "ResnetUpsampleBlock2D"};

void check_block_types(ConfigReader& r, std::string_view key, const std::vector<std::string>& types,
                       std::span<const std::string_view> known) {
  for (const auto& type : types) {
    if (std::ranges::find(known, type) == known.end()) {
      r.fail(key, fmt::format("block type {} is not supported", type));
    }
  }
}

// One side, height and width, or null.
void read_sample_size(ConfigReader& r, const json::object& config, UNet2DConditionConfig& c) {
  const auto* size = config.if_contains("sample_size");
  c.sample_height = c.sample_width = 0;
  if (!size || size->is_null()) return;
  const auto sides = size->is_array() ? r.integers("sample_size", {})
                                      : std::vector(2, r.integer("sample_size", 0));
  if (sides.size() != 2 || sides[0] <= 0 || sides[1] <= 0 || sides[0] > 4096 || sides[1] > 4096) {
    r.fail("sample_size", "expected a positive integer up to 4096, or two");
    return;
  }
  c.sample_height = sides[0];
  c.sample_width = sides[1];
}

void read_embeddings(ConfigReader& r, UNet2DConditionConfig& c) {
  c.encoder_hid_dim_type = r.optional_string("encoder_hid_dim_type");
  c.encoder_hid_dim = r.integer("encoder_hid_dim", 0);
  if (!c.encoder_hid_dim_type && c.encoder_hid_dim > 0) c.encoder_hid_dim_type = "text_proj";
  if (c.encoder_hid_dim_type && *c.encoder_hid_dim_type != "text_proj") {
    r.fail("encoder_hid_dim_type",
           fmt::format("\"{}\" is not supported, only \"text_proj\" is", *c.encoder_hid_dim_type));
  }
  c.class_embed_type = r.optional_string("class_embed_type");
  r.require_null({"num_class_embeds"});
  c.class_embeddings_concat = r.boolean("class_embeddings_concat", false);
  c.addition_embed_type = r.optional_string("addition_embed_type");
  if (c.addition_embed_type && *c.addition_embed_type != "text_time") {
    r.fail("addition_embed_type",
           fmt::format("\"{}\" is not supported, only \"text_time\" is", *c.addition_embed_type));
  }
  c.addition_time_embed_dim = r.integer("addition_time_embed_dim", 0);
  c.projection_class_embeddings_input_dim = r.integer("projection_class_embeddings_input_dim", 0);
  if (c.class_embed_type && *c.class_embed_type != "projection" &&
      *c.class_embed_type != "simple_projection") {
    r.fail("class_embed_type", fmt::format("\"{}\" is not supported", *c.class_embed_type));
  }
  c.time_embedding_act_fn = r.optional_string("time_embedding_act_fn");
  c.timestep_post_act = r.optional_string("timestep_post_act");
  c.time_cond_proj_dim = r.integer("time_cond_proj_dim", 0);
}

Result<void> check_sizes(const UNet2DConditionConfig& c, const std::string& where) {
  const auto bad = [&](const std::string& what) {
    return invalid_value("", where + ": " + what, "invalid_model");
  };
  const std::size_t n = c.block_count();
  if (n == 0 || n > 16) return bad("block_out_channels needs 1 to 16 entries");
  if (c.down_block_types.size() != n || c.up_block_types.size() != n) {
    return bad(fmt::format("{} block_out_channels, {} down_block_types and {} up_block_types", n,
                           c.down_block_types.size(), c.up_block_types.size()));
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (c.block_out_channels[i] <= 0 || c.layers_per_block[i] <= 0 || c.layers_per_block[i] > 64 ||
        c.attention_head_dim[i] <= 0 || c.cross_attention_dim[i] <= 0) {
      return bad(fmt::format("block {} has a size that is not positive", i));
    }
  }
  if (c.in_channels <= 0 || c.out_channels <= 0 || c.norm_num_groups <= 0) {
    return bad("in_channels, out_channels and norm_num_groups must be positive");
  }
  if (c.has_text_time() && c.addition_time_embed_dim <= 0) {
    return bad("addition_embed_type text_time needs addition_time_embed_dim");
  }
  return {};
}

}  // namespace

Result<UNet2DConditionConfig> UNet2DConditionConfig::parse(const Component& component) {
  UNet2DConditionConfig c;
  ConfigReader r(component.config, component.where);
  read_sample_size(r, component.config, c);
  c.in_channels = r.integer("in_channels", 4);
  c.out_channels = r.integer("out_channels", 4);
  c.center_input_sample = r.boolean("center_input_sample", false);
  c.time_proj.flip_sin_to_cos = r.boolean("flip_sin_to_cos", true);
  c.time_proj.downscale_freq_shift = r.number("freq_shift", 0);
  c.down_block_types = r.strings(
      "down_block_types",
      {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"});
  c.up_block_types = r.strings("up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D",
                                                  "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"});
  check_block_types(r, "down_block_types", c.down_block_types, kDownBlocks);
  check_block_types(r, "up_block_types", c.up_block_types, kUpBlocks);
  // Absent means the default; an explicit null means no mid block at all.
  const bool has_mid_key = component.config.contains("mid_block_type");
  c.mid_block_type = r.optional_string("mid_block_type");
  if (!has_mid_key) c.mid_block_type = "UNetMidBlock2DCrossAttn";
  if (c.mid_block_type && *c.mid_block_type != "UNetMidBlock2DCrossAttn" &&
      *c.mid_block_type != "UNetMidBlock2D") {
    r.fail("mid_block_type", fmt::format("block type {} is not supported", *c.mid_block_type));
  }
  c.block_out_channels = r.integers("block_out_channels", {320, 640, 1280, 1280});
  const std::size_t n = c.block_out_channels.size();
  c.only_cross_attention = r.boolean_per_block("only_cross_attention", false, n);
  c.layers_per_block = r.integer_per_block("layers_per_block", 2, n);
  c.downsample_padding = static_cast<int>(r.integer("downsample_padding", 1));
  c.mid_block_scale_factor = r.number("mid_block_scale_factor", 1);
  c.act_fn = r.string("act_fn", "silu");
  if (r.is_null_or_absent("norm_num_groups") && component.config.contains("norm_num_groups")) {
    r.fail("norm_num_groups", "null is not supported");
  }
  c.norm_num_groups = static_cast<int>(r.integer("norm_num_groups", 32));
  c.norm_eps = r.number("norm_eps", 1e-5);
  c.cross_attention_dim = r.integer_per_block("cross_attention_dim", 1280, n);
  std::vector<std::int64_t> up_attentions;
  for (auto it = c.layers_per_block.rbegin(); it != c.layers_per_block.rend(); ++it) {
    up_attentions.push_back(*it + 1);
  }
  c.transformer_layers_per_block = read_transformer_layers(
      r, component.config, "transformer_layers_per_block", c.layers_per_block);
  c.up_transformer_layers_per_block = read_transformer_layers(
      r, component.config, "reverse_transformer_layers_per_block", up_attentions);
  if (r.is_null_or_absent("reverse_transformer_layers_per_block")) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto& mirrored = c.transformer_layers_per_block[n - 1 - i];
      if (!mirrored.empty()) {
        c.up_transformer_layers_per_block[i].assign(c.up_transformer_layers_per_block[i].size(),
                                                    mirrored.front());
      }
    }
  }
  c.attention_head_dim = r.integer_per_block("attention_head_dim", 8, n);
  c.use_linear_projection = r.boolean("use_linear_projection", false);
  read_embeddings(r, c);
  if (const auto shift = r.string("resnet_time_scale_shift", "default"); shift == "scale_shift") {
    c.scale_shift = true;
  } else if (shift != "default") {
    r.fail("resnet_time_scale_shift", fmt::format("\"{}\" is not supported", shift));
  }
  c.skip_time_act = r.boolean("resnet_skip_time_act", false);
  c.resnet_out_scale_factor = r.number("resnet_out_scale_factor", 1);
  r.integer("conv_in_kernel", 3);  // the weights say it themselves
  r.integer("conv_out_kernel", 3);
  r.optional_integer("time_embedding_dim");
  r.require("time_embedding_type", "positional");
  r.require("attention_type", "default");
  r.require_flag("dual_cross_attention", false);
  r.require_null({"num_attention_heads", "cross_attention_norm"});
  // float32 throughout makes upcasting a no-op; the rest is for training or other block types.
  r.ignore({"sample_size", "upcast_attention", "dropout", "addition_embed_type_num_heads",
            "mid_block_only_cross_attention"});
  if (auto ok = r.finish(); !ok) return ok.error();
  if (auto ok = check_sizes(c, component.where); !ok) return ok.error();
  return c;
}

}  // namespace limner::models
