#include "diffusion/models/z_image_transformer_2d.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "diffusion/models/config_reader.hpp"
#include "diffusion/models/patch_embed.hpp"
#include "diffusion/models/rotary_tables.hpp"
#include "diffusion/models/timestep_embedding.hpp"
#include "diffusion/models/timestep_text_embedding.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;
using Config = ZImageTransformerConfig;

namespace {

constexpr double kQkNormEps = 1e-5;  // whatever norm_eps says
constexpr double kFinalNormEps = 1e-6;
constexpr std::int64_t kSizeMax = 1'000'000;

std::int64_t padded(std::int64_t tokens) {
  const std::int64_t multiple = Config::kTokensMultiple;
  return (tokens + multiple - 1) / multiple * multiple;
}

void read_patches(ConfigReader& r) {
  const auto sides = r.integers("all_patch_size", {Config::kPatchSize});
  const auto depths = r.integers("all_f_patch_size", {1});
  for (std::size_t i = 0; i < sides.size() && i < depths.size(); ++i) {
    if (sides[i] == Config::kPatchSize && depths[i] == 1) return;
  }
  r.fail("all_patch_size", "needs patches of 2, with all_f_patch_size 1");
}

void read_axes(ConfigReader& r, Config& c) {
  c.axes_dims = r.integers("axes_dims", {32, 48, 48});
  c.axes_lens = r.integers("axes_lens", {1024, 512, 512});
  bool fits = c.axes_dims.size() == 3;
  for (const auto dim : c.axes_dims) fits = fits && dim > 0 && dim < kSizeMax && dim % 2 == 0;
  const auto width = std::accumulate(c.axes_dims.begin(), c.axes_dims.end(), std::int64_t{0});
  if (!fits || width * c.n_heads != c.dim) {
    r.fail("axes_dims", "needs three even numbers that add up to dim / n_heads");
  }
  const bool has_room = c.axes_lens.size() == 3 && c.caption_length_max() > 0 &&
                        c.axes_lens[1] > 0 && c.axes_lens[2] > 0;
  if (!has_room) r.fail("axes_lens", "needs three numbers, the first 34 or more");
}

}  // namespace

Result<Config> Config::parse(const Component& component) {
  Config c;
  ConfigReader r(component.config, component.where);
  read_patches(r);
  c.in_channels = r.integer("in_channels", c.in_channels);
  c.dim = r.integer("dim", c.dim);
  c.n_layers = r.integer("n_layers", c.n_layers);
  c.n_refiner_layers = r.integer("n_refiner_layers", c.n_refiner_layers);
  c.n_heads = r.integer("n_heads", c.n_heads);
  // diffusers gives every head keys of its own, whatever this says.
  r.ignore({"n_kv_heads"});
  c.norm_eps = r.number("norm_eps", c.norm_eps);
  c.qk_norm = r.boolean("qk_norm", c.qk_norm);
  c.cap_feat_dim = r.integer("cap_feat_dim", c.cap_feat_dim);
  r.require_null({"siglip_feat_dim"});
  c.rope_theta = r.number("rope_theta", c.rope_theta);
  c.t_scale = r.number("t_scale", c.t_scale);
  for (const auto size : {c.in_channels, c.dim, c.n_heads, c.cap_feat_dim}) {
    if (size <= 0 || size > kSizeMax) r.fail("dim", "sizes must be positive");
  }
  if (c.n_layers < 0 || c.n_refiner_layers < 0) r.fail("n_layers", "must not be negative");
  if (!(c.rope_theta > 0)) r.fail("rope_theta", "must be positive");
  read_axes(r, c);
  if (auto ok = r.finish(); !ok) return ok.error();
  return c;
}

std::int64_t Config::caption_length_max() const {
  // The caption begins at position 1, the picture lies one after its padded end.
  return (axes_lens.front() - 2) / kTokensMultiple * kTokensMultiple;
}

Value z_image_block(const Value& x, const Value& temb, const WeightScope& w,
                    const ZImageBlockOptions& o) {
  const auto norm = [&](const Value& v, std::string_view name) {
    return nn::rms_norm(v, w / name, o.norm_eps);
  };
  const auto feed_forward = [&](const Value& v) {
    const WeightScope mlp = w / "feed_forward";
    return nn::linear(nn::silu(nn::linear(v, mlp / "w1")) * nn::linear(v, mlp / "w3"), mlp / "w2");
  };
  if (!temb) {
    const Value h =
        x + norm(self_attention(norm(x, "attention_norm1"), w / "attention", o.attention),
                 "attention_norm2");
    return h + norm(feed_forward(norm(h, "ffn_norm1")), "ffn_norm2");
  }
  const auto m = nn::chunk(nn::unsqueeze(nn::linear(temb, w / "adaLN_modulation" / 0), 1), 4, -1);
  const Value n = norm(x, "attention_norm1") * (m[0] + 1.0);
  const Value attended = self_attention(n, w / "attention", o.attention);
  const Value h = x + nn::tanh(m[1]) * norm(attended, "attention_norm2");
  const Value fed = feed_forward(norm(h, "ffn_norm1") * (m[2] + 1.0));
  return h + nn::tanh(m[3]) * norm(fed, "ffn_norm2");
}

ZImageTransformer2DModel::ZImageTransformer2DModel(runtime::Runtime& runtime,
                                                   const Component& component, Config config,
                                                   const NetworkOptions& options)
    : config_(std::move(config)), shapes_(runtime, component, options) {}

Result<ZImageTransformer2DModel> ZImageTransformer2DModel::load(runtime::Runtime& runtime,
                                                                Component component,
                                                                const NetworkOptions& options) {
  auto config = Config::parse(component);
  if (!config) return config.error();
  // Read only where a picture's tokens are no multiple of 32; and layers for other patches.
  for (const char* prefix : {"x_pad_token", "all_x_embedder.", "all_final_layer."}) {
    component.foreign_prefixes.emplace_back(prefix);
  }
  return ZImageTransformer2DModel(runtime, component, *std::move(config), options);
}

namespace {

// Sizes of one compiled graph.
struct Layout {
  std::int64_t rows, height, width;
  std::int64_t caption_length;  // of the longest row, a multiple of 32
  bool is_masked;               // other rows are shorter

  std::int64_t grid_height() const { return height / Config::kPatchSize; }
  std::int64_t grid_width() const { return width / Config::kPatchSize; }
  std::int64_t patches() const { return grid_height() * grid_width(); }
  std::int64_t padding() const { return padded(patches()) - patches(); }
};

// What of the graph's inputs differs from row to row, beside times.
struct CaptionInputs {
  std::vector<float> features;  // [B, S, cap_feat_dim], zeros after each row's end
  std::vector<float> is_text;   // [B, S]: 1, or 0 where the learned padding stands
  std::vector<float> mask;      // [B, S]: 0, or very negative after the row's own padding
  RotaryTables place;           // [B, axes_dims[0]]: the picture's position after the caption
};

CaptionInputs caption_inputs(const std::vector<const runtime::Tensor*>& captions,
                             std::int64_t length, const Config& c) {
  const auto side = static_cast<std::size_t>(length);
  const auto width = static_cast<std::size_t>(c.cap_feat_dim);
  CaptionInputs in{.features = std::vector<float>(captions.size() * side * width),
                   .is_text = std::vector<float>(captions.size() * side),
                   .mask = std::vector<float>(captions.size() * side),
                   .place = {}};
  for (std::size_t row = 0; row < captions.size(); ++row) {
    const auto tokens = captions[row]->shape()[1];
    const std::int64_t own_length = padded(static_cast<std::int64_t>(tokens));
    std::ranges::copy(captions[row]->data(), in.features.data() + row * side * width);
    std::fill_n(in.is_text.data() + row * side, tokens, 1.0f);
    std::fill(in.mask.data() + row * side + own_length, in.mask.data() + (row + 1) * side,
              std::numeric_limits<float>::lowest());
    in.place.add_axis(static_cast<double>(own_length + 1), c.axes_dims[0], c.rope_theta);
  }
  return in;
}

RotaryEmbedding constants(const RotaryTables& tables, std::int64_t length, std::int64_t width) {
  return {nn::constant(tables.cos, {1, 1, length, width}),
          nn::constant(tables.sin, {1, 1, length, width})};
}

// Caption tokens stand one after the other from position 1 on, at row and column 0.
RotaryEmbedding caption_rope(const Layout& in, const Config& c) {
  RotaryTables tables;
  for (std::int64_t i = 0; i < in.caption_length; ++i) {
    tables.add_axis(static_cast<double>(i + 1), c.axes_dims[0], c.rope_theta);
    for (const int axis : {1, 2}) tables.add_axis(0, c.axes_dims.at(axis), c.rope_theta);
  }
  return constants(tables, in.caption_length, c.dim / c.n_heads);
}

// One of the two tables of a picture: the row's place, then its grid, then padding at the origin.
Value picture_table(const Value& place, const Value& grid, const Layout& in, float at_origin) {
  const std::int64_t width = place.dim(-1) + grid.dim(-1);
  Value table = nn::concat({nn::broadcast_to(place, {in.rows, 1, in.patches(), place.dim(-1)}),
                            nn::broadcast_to(grid, {in.rows, 1, in.patches(), grid.dim(-1)})},
                           -1);
  if (in.padding() == 0) return table;
  const std::vector<float> rest(static_cast<std::size_t>(in.rows * in.padding() * width),
                                at_origin);
  return nn::concat({table, nn::constant(rest, {in.rows, 1, in.padding(), width})}, 2);
}

RotaryEmbedding picture_rope(nn::Graph& graph, const Layout& in, const Config& c) {
  RotaryTables tables;
  for (std::int64_t y = 0; y < in.grid_height(); ++y) {
    for (std::int64_t x = 0; x < in.grid_width(); ++x) {
      tables.add_axis(static_cast<double>(y), c.axes_dims[1], c.rope_theta);
      tables.add_axis(static_cast<double>(x), c.axes_dims[2], c.rope_theta);
    }
  }
  const auto grid = constants(tables, in.patches(), c.axes_dims[1] + c.axes_dims[2]);
  const nn::Shape place{in.rows, 1, 1, c.axes_dims[0]};
  return {picture_table(graph.input("place_cos", place), grid.cos, in, 1),
          picture_table(graph.input("place_sin", place), grid.sin, in, 0)};
}

struct Tokens {
  Value x;
  RotaryEmbedding rope;
};

Tokens embed_picture(nn::Graph& graph, const WeightScope& w, const Layout& in, const Config& c) {
  const Value sample = graph.input("sample", {in.rows, c.in_channels, in.height, in.width});
  Value x = nn::linear(patchify(sample, Config::kPatchSize), w / "all_x_embedder" / "2-1");
  if (in.padding() > 0) {
    const Value pad = nn::reshape(nn::parameter(w, "x_pad_token"), {1, 1, c.dim});
    x = nn::concat({x, nn::broadcast_to(pad, {in.rows, in.padding(), c.dim})}, 1);
  }
  return {x, picture_rope(graph, in, c)};
}

Tokens embed_caption(nn::Graph& graph, const WeightScope& w, const Layout& in, const Config& c) {
  const Value features = graph.input("caption", {in.rows, in.caption_length, c.cap_feat_dim});
  const Value is_text = graph.input("is_text", {in.rows, in.caption_length, 1});
  const WeightScope embedder = w / "cap_embedder";
  const Value text = nn::linear(nn::rms_norm(features, embedder / 0, c.norm_eps), embedder / 1);
  const Value pad = nn::reshape(nn::parameter(w, "cap_pad_token"), {1, 1, c.dim});
  return {text * is_text + pad * (nn::scalar(1) - is_text), caption_rope(in, c)};
}

// Both in one sequence, the caption's table for every row.
Tokens join(const Tokens& picture, const Tokens& caption) {
  const auto& s = caption.rope.cos.shape();
  const auto table = [&](const Value& of_picture, const Value& of_caption) {
    const Value rows = nn::broadcast_to(of_caption, {of_picture.dim(0), 1, s[2], s[3]});
    return nn::concat({of_picture, rows}, 2);
  };
  return {nn::concat({picture.x, caption.x}, 1),
          {table(picture.rope.cos, caption.rope.cos), table(picture.rope.sin, caption.rope.sin)}};
}

Value write_network(nn::Graph& graph, const WeightScope& w, const Layout& in, const Config& c) {
  const WeightScope times = w / "t_embedder" / "mlp";
  const Value time = graph.input("timestep", {in.rows, kTimeChannels});
  const Value temb = nn::linear(nn::silu(nn::linear(time, times / 0)), times / 2);
  const auto run = [&](Tokens tokens, const Value& modulated_by, const Value& mask,
                       std::string_view name, std::int64_t count) {
    const ZImageBlockOptions options{.norm_eps = c.norm_eps,
                                     .attention = {.heads = c.n_heads,
                                                   .has_qk_norm = c.qk_norm,
                                                   .qk_norm_eps = kQkNormEps,
                                                   .rope = tokens.rope,
                                                   .mask = mask}};
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      tokens.x = z_image_block(tokens.x, modulated_by, w / name / i, options);
    }
    return tokens;
  };
  Value mask, joint_mask;
  if (in.is_masked) {
    mask = graph.input("mask", {in.rows, 1, 1, in.caption_length});
    const std::vector<float> seen(static_cast<std::size_t>(in.rows * padded(in.patches())));
    joint_mask = nn::concat({nn::constant(seen, {in.rows, 1, 1, padded(in.patches())}), mask}, -1);
  }
  const Tokens picture =
      run(embed_picture(graph, w, in, c), temb, {}, "noise_refiner", c.n_refiner_layers);
  const Tokens caption =
      run(embed_caption(graph, w, in, c), {}, mask, "context_refiner", c.n_refiner_layers);
  const Tokens joint = run(join(picture, caption), temb, joint_mask, "layers", c.n_layers);

  const WeightScope last = w / "all_final_layer" / "2-1";
  const Value scale = nn::unsqueeze(nn::linear(nn::silu(temb), last / "adaLN_modulation" / 1), 1);
  const Value normed = nn::layer_norm(nn::slice(joint.x, 1, 0, in.patches()), kFinalNormEps);
  return unpatchify(nn::linear(normed * (scale + 1.0), last / "linear"), Config::kPatchSize,
                    in.height, in.width);
}

Layout layout_of(const ZImageTransformer2DModel::Inputs& in) {
  Layout layout{.rows = static_cast<std::int64_t>(in.captions.size()),
                .height = in.height,
                .width = in.width,
                .caption_length = 0,
                .is_masked = false};
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
  for (const auto* caption : in.captions) {
    const auto length = padded(static_cast<std::int64_t>(caption->shape()[1]));
    layout.caption_length = std::max(layout.caption_length, length);
    shortest = std::min(shortest, length);
  }
  layout.is_masked = shortest < layout.caption_length;
  return layout;
}

}  // namespace

Result<void> ZImageTransformer2DModel::run(const Inputs& in, std::span<float> direction) {
  const Layout layout = layout_of(in);
  auto network =
      shapes_.get(fmt::format("{}x{}x{}x{} text {}{}", layout.rows, config_.in_channels, in.height,
                              in.width, layout.caption_length, layout.is_masked ? " masked" : ""),
                  [&](nn::Graph& graph, const WeightScope& w) {
                    graph.output("direction", write_network(graph, w, layout, config_));
                  });
  if (!network) return network.error();

  const auto side = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const std::size_t rows = in.captions.size();
  const std::size_t length = side(layout.caption_length);
  const std::size_t place = side(config_.axes_dims[0]);
  const auto captions = caption_inputs(in.captions, layout.caption_length, config_);
  runtime::Tensor times({rows, side(kTimeChannels)});
  for (std::size_t i = 0; i < rows; ++i) {
    sinusoidal_embedding(in.times[i] * static_cast<float>(config_.t_scale), {}, times.row(i));
  }
  std::vector<runtime::Input> inputs{
      {"sample", {rows, side(config_.in_channels), side(in.height), side(in.width)}, in.sample},
      {"timestep", times.shape(), times.data()},
      {"caption", {rows, length, side(config_.cap_feat_dim)}, captions.features},
      {"is_text", {rows, length, 1}, captions.is_text},
      {"place_cos", {rows, 1, 1, place}, captions.place.cos},
      {"place_sin", {rows, 1, 1, place}, captions.place.sin}};
  if (layout.is_masked) inputs.push_back({"mask", {rows, 1, 1, length}, captions.mask});
  const runtime::Output output{"direction", direction};
  return (*network)->run(inputs, {&output, 1});
}

}  // namespace limner::models
