#include "diffusion/models/qwen3_model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "diffusion/models/config_reader.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

constexpr std::int64_t kSizeMax = 1'000'000;
// Texts are padded at their end to this or to twice, four times …, so that few shapes are compiled.
// What follows a token changes nothing for it.
constexpr std::uint64_t kLengthMin = 32;

// transformers 4 wrote rope_theta and rope_scaling, transformers 5 writes rope_parameters.
void read_rope(ConfigReader& r, const json::object& config, Qwen3Config& c) {
  c.rope_theta = r.number("rope_theta", c.rope_theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    r.ignore({key});
    if (r.is_null_or_absent(key)) continue;
    const auto* object = config.at(key).if_object();
    if (!object) {
      r.fail(key, "must be an object");
      continue;
    }
    ConfigReader rope(*object, key);
    rope.require("rope_type", "default");
    rope.require("type", "default");
    c.rope_theta = rope.number("rope_theta", c.rope_theta);
    if (auto ok = rope.finish(); !ok) r.fail(key, ok.error().message);
  }
  if (!(c.rope_theta > 0)) r.fail("rope_theta", "must be positive");
}

// Windows narrower than the text are a kind of attention that is not written here.
void read_layer_types(ConfigReader& r, const Qwen3Config& c) {
  r.require_flag("use_sliding_window", false);
  r.ignore({"sliding_window", "max_window_layers"});
  for (const auto& type : r.strings("layer_types", {})) {
    if (type != "full_attention") {
      r.fail("layer_types", fmt::format("\"{}\" is not supported, only full_attention is", type));
    }
  }
  if (c.num_hidden_layers < 1) r.fail("num_hidden_layers", "must be 1 or more");
}

}  // namespace

Result<Qwen3Config> Qwen3Config::parse(const Component& component) {
  Qwen3Config c;
  ConfigReader r(component.config, component.where);
  r.require("model_type", "qwen3");
  c.vocab_size = r.integer("vocab_size", c.vocab_size);
  c.hidden_size = r.integer("hidden_size", c.hidden_size);
  c.intermediate_size = r.integer("intermediate_size", c.intermediate_size);
  c.num_hidden_layers = r.integer("num_hidden_layers", c.num_hidden_layers);
  c.num_attention_heads = r.integer("num_attention_heads", c.num_attention_heads);
  // Absent is transformers' 32, null is as many as there are heads.
  const bool is_null = component.config.contains("num_key_value_heads");
  c.num_key_value_heads =
      r.integer("num_key_value_heads", is_null ? c.num_attention_heads : c.num_key_value_heads);
  c.head_dim = r.integer("head_dim", c.head_dim);
  c.hidden_act = r.string("hidden_act", c.hidden_act);
  c.rms_norm_eps = r.number("rms_norm_eps", c.rms_norm_eps);
  read_rope(r, component.config, c);
  read_layer_types(r, c);
  // The tensors themselves say whether there are biases.
  r.ignore({"architectures", "attention_bias", "attention_dropout", "eos_token_id",
            "initializer_range", "max_position_embeddings"});
  r.ignore_transformers_bookkeeping();
  for (const auto size : {c.vocab_size, c.hidden_size, c.intermediate_size, c.num_attention_heads,
                          c.num_key_value_heads, c.head_dim}) {
    if (size <= 0 || size > kSizeMax) r.fail("hidden_size", "sizes must be positive");
  }
  if (auto ok = r.finish(); !ok) return ok.error();
  if (c.num_attention_heads % c.num_key_value_heads != 0 || c.head_dim % 2 != 0) {
    return invalid_value("",
                         component.where +
                             ": num_attention_heads must be a multiple of num_key_value_heads, and "
                             "head_dim even",
                         "invalid_model");
  }
  return c;
}

RotaryEmbedding qwen3_rotary_embedding(std::int64_t length, const Qwen3Config& c) {
  // float32 throughout, as transformers computes them.
  const std::int64_t half = c.head_dim / 2;
  std::vector<float> cos, sin;
  for (std::int64_t position = 0; position < length; ++position) {
    for (std::int64_t i = 0; i < c.head_dim; ++i) {
      const float share = static_cast<float>(2 * (i % half)) / static_cast<float>(c.head_dim);
      const float frequency = 1.0f / std::pow(static_cast<float>(c.rope_theta), share);
      const float angle = static_cast<float>(position) * frequency;
      cos.push_back(std::cos(angle));
      sin.push_back(std::sin(angle));
    }
  }
  return {nn::constant(cos, {length, c.head_dim}), nn::constant(sin, {length, c.head_dim})};
}

namespace {

// Halves (a, b) of the last axis become (a cos - b sin, b cos + a sin).
Value turn(const Value& x, const RotaryEmbedding& rope) {
  const auto half = nn::chunk(x, 2, -1);
  return x * rope.cos + nn::concat({half[1] * -1.0, half[0]}, -1) * rope.sin;
}

// [B, H_kv, S, d] → [B, H, S, d], each head as often as heads share it.
Value repeat_heads(const Value& x, std::int64_t heads) {
  const auto& s = x.shape();
  const std::int64_t times = heads / s[1];
  if (times == 1) return x;
  const Value repeated = nn::broadcast_to(nn::unsqueeze(x, 2), {s[0], s[1], times, s[2], s[3]});
  return nn::reshape(repeated, {s[0], heads, s[2], s[3]});
}

Value self_attention(const Value& x, const RotaryEmbedding& rope, const WeightScope& w,
                     const Qwen3Config& c) {
  const Value q = nn::split_heads(nn::linear(x, w / "q_proj"), c.num_attention_heads);
  const Value k = nn::split_heads(nn::linear(x, w / "k_proj"), c.num_key_value_heads);
  const Value v = nn::split_heads(nn::linear(x, w / "v_proj"), c.num_key_value_heads);
  const Value turned_q = turn(nn::rms_norm(q, w / "q_norm", c.rms_norm_eps), rope);
  const Value turned_k = turn(nn::rms_norm(k, w / "k_norm", c.rms_norm_eps), rope);
  const Value h = nn::scaled_dot_product_attention(
      turned_q, repeat_heads(turned_k, c.num_attention_heads),
      repeat_heads(v, c.num_attention_heads), nn::causal_mask(x.dim(1)));
  return nn::linear(nn::merge_heads(h), w / "o_proj");
}

Value feed_forward(const Value& x, const WeightScope& w, const Qwen3Config& c) {
  const Value gate = nn::activation(nn::linear(x, w / "gate_proj"), c.hidden_act);
  return nn::linear(gate * nn::linear(x, w / "up_proj"), w / "down_proj");
}

}  // namespace

Value qwen3_decoder_layer(const Value& x, const RotaryEmbedding& rope, const WeightScope& w,
                          const Qwen3Config& c) {
  const Value n = nn::rms_norm(x, w / "input_layernorm", c.rms_norm_eps);
  const Value h = x + self_attention(n, rope, w / "self_attn", c);
  return h + feed_forward(nn::rms_norm(h, w / "post_attention_layernorm", c.rms_norm_eps),
                          w / "mlp", c);
}

Qwen3Model::Qwen3Model(runtime::Runtime& runtime, const Component& component, Qwen3Config config,
                       const NetworkOptions& options)
    : config_(std::move(config)), shapes_(runtime, component, options) {}

Result<Qwen3Model> Qwen3Model::load(runtime::Runtime& runtime, Component component,
                                    const NetworkOptions& options) {
  auto config = Qwen3Config::parse(component);
  if (!config) return config.error();
  component.foreign_prefixes.emplace_back("lm_head.");
  for (const std::string before : {"", "model."}) {  // what follows the states that are read
    component.foreign_prefixes.push_back(before + "norm.");
    component.foreign_prefixes.push_back(
        fmt::format("{}layers.{}.", before, config->num_hidden_layers - 1));
  }
  return Qwen3Model(runtime, component, *std::move(config), options);
}

Result<runtime::Tensor> Qwen3Model::run(const std::vector<std::int64_t>& ids) {
  const std::size_t padded = std::bit_ceil(std::max<std::uint64_t>(ids.size(), kLengthMin));
  const auto length = static_cast<std::int64_t>(padded);
  const auto write = [&](nn::Graph& graph, const WeightScope& w) {
    const WeightScope model = w.has("model") ? w / "model" : w;
    Value h = nn::embedding(graph.input_int64("input_ids", {1, length}), model / "embed_tokens");
    const RotaryEmbedding rope = qwen3_rotary_embedding(length, config_);
    for (std::size_t i = 0; i + 1 < static_cast<std::size_t>(config_.num_hidden_layers); ++i) {
      h = qwen3_decoder_layer(h, rope, model / "layers" / i, config_);
    }
    graph.output("hidden", h);
  };
  auto network = shapes_.get(fmt::format("1x{}", length), write);
  if (!network) return network.error();
  std::vector<std::int64_t> tokens = ids;
  tokens.resize(padded, 0);
  const auto width = static_cast<std::size_t>(config_.hidden_size);
  std::vector<float> hidden(padded * width);
  const runtime::Input input{"input_ids", {1, padded}, std::span<const std::int64_t>(tokens)};
  const runtime::Output output{"hidden", hidden};
  if (auto ok = (*network)->run({&input, 1}, {&output, 1}); !ok) return ok.error();
  hidden.resize(ids.size() * width);
  return runtime::Tensor({1, ids.size(), width}, std::move(hidden));
}

}  // namespace limner::models
