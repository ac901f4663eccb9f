// Each block of the networks against what diffusers and transformers answered (blocks.json, made by
// tools/golden/make_blocks.py). A picture that differs says that something is wrong; these say
// where.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "diffusion/models/clip_text_model.hpp"
#include "diffusion/models/flux_transformer_2d.hpp"
#include "diffusion/models/modulation.hpp"
#include "diffusion/models/patch_embed.hpp"
#include "diffusion/models/qwen3_model.hpp"
#include "diffusion/models/resnet.hpp"
#include "diffusion/models/sd3_transformer_2d.hpp"
#include "diffusion/models/t5_encoder_model.hpp"
#include "diffusion/models/timestep_embedding.hpp"
#include "diffusion/models/transformer_2d.hpp"
#include "diffusion/models/z_image_transformer_2d.hpp"
#include "nn/graph.hpp"
#include "nn/ops.hpp"
#include "runtime/runtime.hpp"
#include "weights/safetensors.hpp"
#include "weights/weight_source.hpp"

namespace limner {
namespace {

using models::ResnetOptions;
using models::Transformer2DOptions;
using nn::Value;
using nn::WeightScope;

const std::filesystem::path kDir =
    std::filesystem::path(LIMNER_SOURCE_DIR) / "tests" / "golden" / "blocks";

using Values = std::map<std::string, Value, std::less<>>;
// Writes one block: its inputs by name → its outputs by name.
using Write = std::function<Values(const Values&, const WeightScope&, const json::object& options)>;

std::int64_t integer(const json::object& options, std::string_view key, std::int64_t fallback = 0) {
  return get_int(options, key, fallback, "blocks.json").value();
}
double number(const json::object& options, std::string_view key, double fallback = 0) {
  return get_number(options, key, fallback, "blocks.json").value();
}
bool boolean(const json::object& options, std::string_view key) {
  return get_bool(options, key, false, "blocks.json").value();
}
std::string text(const json::object& options, std::string_view key) {
  return get_string(options, key, "", "blocks.json").value();
}

Values resnet(const Values& in, const WeightScope& w, const json::object& o) {
  const auto temb = in.find("temb");
  const ResnetOptions options{.groups = static_cast<int>(integer(o, "groups")),
                              .eps = number(o, "eps"),
                              .scale_shift = text(o, "time_embedding_norm") == "scale_shift"};
  return {{"sample", models::resnet_block(in.at("sample"),
                                          temb == in.end() ? Value{} : temb->second, w, options)}};
}

Values downsample(const Values& in, const WeightScope& w, const json::object& o) {
  const auto padding = static_cast<int>(integer(o, "padding"));
  return {{"sample", models::downsample_2d(in.at("sample"), w, padding)}};
}

Values upsample(const Values& in, const WeightScope& w, const json::object& o) {
  std::optional<models::Size2D> size;
  if (const auto* sides = o.if_contains("size")) {
    size.emplace(sides->at(0).as_int64(), sides->at(1).as_int64());
  }
  return {{"sample", models::upsample_2d(in.at("sample"), w, size)}};
}

Values autoencoder_attention(const Values& in, const WeightScope& w, const json::object& o) {
  return {{"sample",
           models::attention_block(in.at("sample"), w, integer(o, "heads"),
                                   static_cast<int>(integer(o, "groups")), number(o, "eps"))}};
}

Values transformer_2d(const Values& in, const WeightScope& w, const json::object& o) {
  const Transformer2DOptions options{.heads = integer(o, "heads"),
                                     .layers = integer(o, "layers"),
                                     .norm_num_groups = static_cast<int>(integer(o, "groups")),
                                     .use_linear_projection = boolean(o, "use_linear_projection"),
                                     .only_cross_attention = boolean(o, "only_cross_attention")};
  return {{"sample",
           models::transformer_2d(in.at("sample"), in.at("encoder_hidden_states"), w, options)}};
}

Values clip_encoder_layer(const Values& in, const WeightScope& w, const json::object& o) {
  const Value& x = in.at("hidden_states");
  models::ClipTextConfig config;
  config.hidden_size = x.dim(2);
  config.num_attention_heads = integer(o, "heads");
  config.hidden_act = text(o, "hidden_act");
  config.layer_norm_eps = number(o, "layer_norm_eps");
  return {{"hidden_states", models::clip_encoder_layer(x, nn::causal_mask(x.dim(1)), w, config)}};
}

Values t5_block(const Values& in, const WeightScope& w, const json::object& o) {
  const Value& x = in.at("hidden_states");
  const std::string feed_forward = text(o, "feed_forward_proj");
  models::T5Config config;
  config.num_heads = integer(o, "heads");
  config.layer_norm_epsilon = number(o, "layer_norm_eps");
  config.relative_attention_num_buckets = integer(o, "relative_attention_num_buckets");
  config.relative_attention_max_distance = integer(o, "relative_attention_max_distance");
  config.is_gated_act = feed_forward == "gated-gelu";
  config.act_fn = config.is_gated_act ? "gelu_new" : feed_forward;
  const Value bias = models::t5_position_bias(x.dim(1), w / "layer" / 0 / "SelfAttention", config);
  return {{"hidden_states", models::t5_block(x, bias, w, config)}};
}

models::JointTokens tokens_of(const Values& in) {
  return {in.at("hidden_states"), in.at("encoder_hidden_states")};
}

Values sd3_joint_block(const Values& in, const WeightScope& w, const json::object& o) {
  const bool is_last = boolean(o, "context_pre_only");
  const auto out = models::sd3_joint_block(tokens_of(in), in.at("temb"), w,
                                           {.heads = integer(o, "heads"),
                                            .has_qk_norm = text(o, "qk_norm") == "rms_norm",
                                            .has_dual_attention = boolean(o, "use_dual_attention"),
                                            .is_context_needed = !is_last});
  Values values{{"hidden_states", out.x}};
  if (!is_last) values.emplace("encoder_hidden_states", out.context);
  return values;
}

Values sd3_patch_embed(const Values& in, const WeightScope& w, const json::object& o) {
  return {{"hidden_states",
           models::patch_embed(in.at("sample"), w,
                               {.patch_size = integer(o, "patch_size"),
                                .pos_embed_max_size = integer(o, "pos_embed_max_size")})}};
}

Values ada_layer_norm_continuous(const Values& in, const WeightScope& w, const json::object&) {
  return {{"hidden_states",
           models::ada_layer_norm_continuous(in.at("hidden_states"), in.at("temb"), w)}};
}

models::JointAttentionOptions flux_attention(const Values& in, const json::object& o) {
  return {.heads = integer(o, "heads"),
          .has_qk_norm = true,
          .rope = {in.at("rope_cos"), in.at("rope_sin")}};
}

Values flux_double_block(const Values& in, const WeightScope& w, const json::object& o) {
  const auto out =
      models::flux_double_block(tokens_of(in), in.at("temb"), w, flux_attention(in, o));
  return {{"hidden_states", out.x}, {"encoder_hidden_states", out.context}};
}

Values flux_single_block(const Values& in, const WeightScope& w, const json::object& o) {
  const Value& text = in.at("encoder_hidden_states");
  const Value joined = nn::concat({text, in.at("hidden_states")}, 1);
  const Value out = models::flux_single_block(joined, in.at("temb"), w, flux_attention(in, o));
  return {{"encoder_hidden_states", nn::slice(out, 1, 0, text.dim(1))},
          {"hidden_states", nn::slice(out, 1, text.dim(1), out.dim(1))}};
}

Values qwen3_decoder_layer(const Values& in, const WeightScope& w, const json::object& o) {
  const Value& x = in.at("hidden_states");
  models::Qwen3Config config;
  config.num_attention_heads = integer(o, "heads");
  config.num_key_value_heads = integer(o, "key_value_heads");
  config.head_dim = integer(o, "head_dim");
  config.hidden_act = text(o, "hidden_act");
  config.rms_norm_eps = number(o, "rms_norm_eps");
  config.rope_theta = number(o, "rope_theta");
  const auto rope = models::qwen3_rotary_embedding(x.dim(1), config);
  return {{"hidden_states", models::qwen3_decoder_layer(x, rope, w, config)}};
}

Values z_image_block(const Values& in, const WeightScope& w, const json::object& o) {
  const auto value_of = [&](std::string_view name) {
    const auto it = in.find(name);
    return it == in.end() ? Value{} : it->second;
  };
  const models::ZImageBlockOptions options{
      .norm_eps = number(o, "norm_eps"),
      .attention = {.heads = integer(o, "heads"),
                    .has_qk_norm = boolean(o, "qk_norm"),
                    .qk_norm_eps = 1e-5,
                    .rope = {in.at("rope_cos"), in.at("rope_sin")},
                    .mask = value_of("mask")}};
  return {{"hidden_states",
           models::z_image_block(in.at("hidden_states"), value_of("temb"), w, options)}};
}

const std::map<std::string, Write, std::less<>> kWriters{
    {"resnet", resnet},
    {"downsample", downsample},
    {"upsample", upsample},
    {"autoencoder_attention", autoencoder_attention},
    {"transformer_2d", transformer_2d},
    {"clip_encoder_layer", clip_encoder_layer},
    {"t5_block", t5_block},
    {"sd3_joint_block", sd3_joint_block},
    {"sd3_patch_embed", sd3_patch_embed},
    {"ada_layer_norm_continuous", ada_layer_norm_continuous},
    {"flux_double_block", flux_double_block},
    {"flux_single_block", flux_single_block},
    {"qwen3_decoder_layer", qwen3_decoder_layer},
    {"z_image_block", z_image_block},
};

// One file of make_blocks.py.
struct Golden {
  struct Numbers {
    nn::Shape shape;
    std::vector<float> data;
  };
  std::map<std::string, Numbers, std::less<>> inputs, outputs;
  weights::TensorMap weights;
};

Golden read_golden(const std::string& name) {
  Golden golden;
  const auto file = weights::open_safetensors(kDir / (name + ".safetensors"));
  EXPECT_TRUE(file.has_value()) << name;
  for (const auto& [key, view] : file->tensors) {
    const auto dot = key.find('.');
    const std::string part = key.substr(0, dot), rest = key.substr(dot + 1);
    if (part == "w") golden.weights.emplace(rest, view);
    if (part == "in") golden.inputs.emplace(rest, Golden::Numbers{view.shape, to_float32(view)});
    if (part == "out") golden.outputs.emplace(rest, Golden::Numbers{view.shape, to_float32(view)});
  }
  return golden;
}

runtime::Shape runtime_shape(const nn::Shape& shape) {
  return {shape.begin(), shape.end()};
}

void expect_close(std::span<const float> got, std::span<const float> expected, double tolerance,
                  const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    // Relative above one: outputs of several layers are larger than what went in.
    const double scale = std::max(1.0, std::abs(static_cast<double>(expected[i])));
    worst = std::max(worst, std::abs(static_cast<double>(got[i]) - expected[i]) / scale);
  }
  fmt::print("  {}: largest difference {:.1e}\n", what, worst);
  EXPECT_LE(worst, tolerance) << what;
}

void check_graph(const std::string& name, const Write& write, const json::object& options,
                 double tolerance) {
  const Golden golden = read_golden(name);
  weights::MapWeightSource source(golden.weights, name);
  auto runtime = runtime::Runtime::create(
      {.precision = runtime::Precision::F32, .threads = 1, .cache_dir = {}});
  ASSERT_TRUE(runtime.has_value());
  std::vector<std::string> unused;
  auto network =
      (*runtime)->compile({.name = name, .build = [&] {
                             return nn::trace(name, [&](nn::Graph& graph) {
                               Values values;
                               for (const auto& [key, numbers] : golden.inputs) {
                                 values.emplace(key, graph.input(key, numbers.shape));
                               }
                               const WeightScope scope(source);
                               for (const auto& [key, value] : write(values, scope, options)) {
                                 graph.output(key, value);
                               }
                               unused = scope.unused();
                             });
                           }});
  ASSERT_TRUE(network.has_value()) << network.error().message << network.error().detail;
  EXPECT_THAT(unused, testing::IsEmpty());
  std::vector<runtime::Input> inputs;
  for (const auto& [key, numbers] : golden.inputs) {
    inputs.push_back({key, runtime_shape(numbers.shape), std::span<const float>(numbers.data)});
  }
  std::map<std::string, std::vector<float>, std::less<>> got;
  std::vector<runtime::Output> outputs;
  for (const auto& [key, numbers] : golden.outputs) {
    outputs.push_back({key, got[key] = std::vector<float>(numbers.data.size())});
  }
  const auto ran = (*network)->run(inputs, outputs);
  ASSERT_TRUE(ran.has_value()) << ran.error().detail;
  for (const auto& [key, numbers] : golden.outputs) {
    expect_close(got.at(key), numbers.data, tolerance, name + " " + key);
  }
}

json::object read_index() {
  const auto index = read_json_file(kDir / "blocks.json");
  EXPECT_TRUE(index.has_value());
  return index->as_object();
}

TEST(Blocks, AnswerWhatTheReferenceAnswers) {
  const json::object index = read_index();
  const double tolerance = index.at("tolerance").as_double();
  int checked = 0;
  for (const auto& [name, value] : index.at("blocks").as_object()) {
    const json::object& options = value.as_object();
    const auto writer = kWriters.find(text(options, "kind"));
    if (writer == kWriters.end()) {
      EXPECT_THAT(text(options, "kind"), testing::AnyOf("timesteps", "t5_buckets")) << name;
      continue;
    }
    check_graph(name, writer->second, options, number(options, "tolerance", tolerance));
    ++checked;
  }
  EXPECT_GE(checked, 26);
}

TEST(Blocks, TimesBecomeTheReferencesSinusoids) {
  const json::object index = read_index();
  for (const auto& [name, value] : index.at("blocks").as_object()) {
    const json::object& options = value.as_object();
    if (text(options, "kind") != "timesteps") continue;
    const Golden golden = read_golden(name);
    const auto& times = golden.inputs.at("timesteps").data;
    const auto width = static_cast<std::size_t>(integer(options, "channels"));
    std::vector<float> got(times.size() * width);
    for (std::size_t i = 0; i < times.size(); ++i) {
      models::sinusoidal_embedding(times[i],
                                   {.flip_sin_to_cos = boolean(options, "flip_sin_to_cos"),
                                    .downscale_freq_shift = number(options, "freq_shift")},
                                   std::span(got).subspan(i * width, width));
    }
    expect_close(got, golden.outputs.at("frequencies").data, number(options, "tolerance"),
                 std::string(name) + " frequencies");
  }
}

TEST(Blocks, DistancesFallIntoTheReferencesBuckets) {
  const json::object index = read_index();
  for (const auto& [name, value] : index.at("blocks").as_object()) {
    const json::object& options = value.as_object();
    if (text(options, "kind") != "t5_buckets") continue;
    const Golden golden = read_golden(name);
    const auto& ahead = golden.inputs.at("ahead").data;
    const auto& expected = golden.outputs.at("bucket").data;
    constexpr std::int64_t kLength = 600;
    const auto buckets = models::t5_relative_buckets(kLength, integer(options, "buckets"),
                                                     integer(options, "max_distance"));
    for (std::size_t i = 0; i < ahead.size(); ++i) {
      const auto distance = static_cast<std::int64_t>(ahead[i]);
      if (std::abs(distance) >= kLength) continue;
      const std::int64_t query = distance < 0 ? -distance : 0;
      const auto got = buckets[static_cast<std::size_t>(query * kLength + query + distance)];
      EXPECT_EQ(got, static_cast<std::int64_t>(expected[i])) << name << " at " << distance;
    }
  }
}

TEST(Blocks, PositionsBecomeTheReferencesRotations) {
  const json::object index = read_index();
  const json::object& options = index.at("blocks").at("flux_double_block").as_object();
  std::vector<std::int64_t> axes;
  for (const auto& dim : options.at("axes_dims_rope").as_array()) axes.push_back(dim.as_int64());
  const auto& grid = options.at("grid").as_array();
  const auto tables = models::flux_rotary_tables(
      integer(options, "text_tokens"), grid.at(0).as_int64(), grid.at(1).as_int64(), axes);
  const Golden golden = read_golden("flux_double_block");
  expect_close(tables.cos, golden.inputs.at("rope_cos").data, 1e-7, "rope_cos");
  expect_close(tables.sin, golden.inputs.at("rope_sin").data, 1e-7, "rope_sin");
}

}  // namespace
}  // namespace limner
