#include "diffusion/models/t5_encoder_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "diffusion/models/config_reader.hpp"
#include "nn/ir_network.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

// "gated-gelu" means the approximate GELU, whatever the name of the activation alone means.
void read_feed_forward(ConfigReader& r, T5Config& c) {
  const std::string text = r.string("feed_forward_proj", "relu");
  const auto dash = text.find('-');
  c.is_gated_act = dash != std::string::npos;
  c.act_fn = c.is_gated_act ? text.substr(dash + 1) : text;
  if (c.is_gated_act && !text.starts_with("gated-")) {
    r.fail("feed_forward_proj",
           fmt::format("got \"{}\", expected an activation or gated-ACTIVATION", text));
  }
  if (text == "gated-gelu") c.act_fn = "gelu_new";
  // Written for readers; transformers derives both from feed_forward_proj.
  r.ignore({"dense_act_fn", "is_gated_act"});
}

}  // namespace

Result<T5Config> T5Config::parse(const Component& component) {
  T5Config c;
  ConfigReader r(component.config, component.where);
  c.vocab_size = r.integer("vocab_size", c.vocab_size);
  c.d_model = r.integer("d_model", c.d_model);
  c.d_kv = r.integer("d_kv", c.d_kv);
  c.d_ff = r.integer("d_ff", c.d_ff);
  c.num_layers = r.integer("num_layers", c.num_layers);
  c.num_heads = r.integer("num_heads", c.num_heads);
  c.relative_attention_num_buckets =
      r.integer("relative_attention_num_buckets", c.relative_attention_num_buckets);
  c.relative_attention_max_distance =
      r.integer("relative_attention_max_distance", c.relative_attention_max_distance);
  c.layer_norm_epsilon = r.number("layer_norm_epsilon", c.layer_norm_epsilon);
  read_feed_forward(r, c);
  r.require("model_type", "t5");
  r.ignore({"architectures", "num_decoder_layers", "n_positions", "output_past",
            "scale_decoder_outputs", "classifier_dropout", "dropout_rate", "initializer_factor",
            "eos_token_id"});
  r.ignore_transformers_bookkeeping();
  if (auto ok = r.finish(); !ok) return ok.error();
  const bool has_sizes = c.vocab_size > 0 && c.d_model > 0 && c.d_kv > 0 && c.d_ff > 0 &&
                         c.num_layers > 0 && c.num_heads > 0;
  if (!has_sizes) {
    return invalid_value("", component.where + ": sizes must be positive", "invalid_model");
  }
  const auto exact = c.relative_attention_num_buckets / 4;
  if (exact < 1 || c.relative_attention_max_distance <= exact) {
    return invalid_value("",
                         component.where +
                             ": relative_attention_num_buckets must be 4 or more, and a fourth of "
                             "it below relative_attention_max_distance",
                         "invalid_model");
  }
  return c;
}

// transformers' arithmetic to the letter, float32 included: buckets have edges.
std::vector<std::int64_t> t5_relative_buckets(std::int64_t length, std::int64_t bucket_count,
                                              std::int64_t max_distance) {
  const std::int64_t half = bucket_count / 2;  // for each direction
  const std::int64_t exact = half / 2;
  const auto log_range =
      static_cast<float>(std::log(static_cast<double>(max_distance) / static_cast<double>(exact)));
  const auto bucket_of = [&](std::int64_t distance) {
    if (distance < exact) return distance;
    const float share =
        std::log(static_cast<float>(distance) / static_cast<float>(exact)) / log_range;
    const auto step = static_cast<std::int64_t>(share * static_cast<float>(half - exact));
    return std::min(exact + step, half - 1);
  };
  std::vector<std::int64_t> buckets;
  for (std::int64_t query = 0; query < length; ++query) {
    for (std::int64_t key = 0; key < length; ++key) {
      buckets.push_back(bucket_of(std::abs(key - query)) + (key > query ? half : 0));
    }
  }
  return buckets;
}

Value t5_position_bias(std::int64_t length, const WeightScope& w, const T5Config& config) {
  const auto buckets = t5_relative_buckets(length, config.relative_attention_num_buckets,
                                           config.relative_attention_max_distance);
  const Value ids = nn::constant(buckets, {length, length});
  const Value bias = nn::embedding(ids, w / "relative_attention_bias");  // [S, S, H]
  return nn::unsqueeze(nn::transpose(bias, {2, 0, 1}), 0);
}

namespace {

// Scores are not divided by the root of the head's width: T5's initialisation takes care of that.
Value self_attention(const Value& x, const Value& position_bias, const WeightScope& w,
                     std::int64_t heads) {
  const Value q = nn::split_heads(nn::linear(x, w / "q"), heads);
  const Value k = nn::split_heads(nn::linear(x, w / "k"), heads);
  const Value v = nn::split_heads(nn::linear(x, w / "v"), heads);
  const Value h = nn::scaled_dot_product_attention(q, k, v, position_bias, 1.0);
  return nn::linear(nn::merge_heads(h), w / "o");
}

Value feed_forward(const Value& x, const WeightScope& w, const T5Config& c) {
  if (!c.is_gated_act) {
    return nn::linear(nn::activation(nn::linear(x, w / "wi"), c.act_fn), w / "wo");
  }
  const Value gate = nn::activation(nn::linear(x, w / "wi_0"), c.act_fn);
  return nn::linear(gate * nn::linear(x, w / "wi_1"), w / "wo");
}

}  // namespace

Value t5_block(const Value& x, const Value& position_bias, const WeightScope& w,
               const T5Config& c) {
  const WeightScope attention = w / "layer" / 0;
  const WeightScope mlp = w / "layer" / 1;
  const double eps = c.layer_norm_epsilon;
  const Value h = x + self_attention(nn::rms_norm(x, attention / "layer_norm", eps), position_bias,
                                     attention / "SelfAttention", c.num_heads);
  return h + feed_forward(nn::rms_norm(h, mlp / "layer_norm", eps), mlp / "DenseReluDense", c);
}

T5EncoderModel::T5EncoderModel(runtime::Runtime& runtime, const Component& component,
                               T5Config config, const NetworkOptions& options)
    : config_(std::move(config)), shapes_(runtime, component, options) {}

Result<T5EncoderModel> T5EncoderModel::load(runtime::Runtime& runtime, Component component,
                                            const NetworkOptions& options) {
  auto config = T5Config::parse(component);
  if (!config) return config.error();
  // One table under two names; some files carry both, and whole T5 models a decoder.
  component.foreign_prefixes.insert(component.foreign_prefixes.end(),
                                    {"encoder.embed_tokens.", "decoder.", "lm_head."});
  return T5EncoderModel(runtime, component, *std::move(config), options);
}

Result<runtime::Tensor> T5EncoderModel::run(const std::vector<std::int64_t>& ids) {
  const auto length = static_cast<std::int64_t>(ids.size());
  const auto write = [&](nn::Graph& graph, const WeightScope& w) {
    const Value tokens = graph.input_int64("input_ids", {1, length});
    if (!shapes_.ir().empty()) {
      graph.output(
          "hidden",
          nn::ir_network(shapes_.ir(), {{"input_ids", tokens}}, {"last_hidden_state"}).front());
      return;
    }
    const WeightScope encoder = w / "encoder";
    Value h = nn::embedding(tokens, w.has("shared") ? w / "shared" : encoder / "embed_tokens");
    const WeightScope blocks = encoder / "block";
    // The first block's table serves all.
    const Value bias =
        t5_position_bias(length, blocks / 0 / "layer" / 0 / "SelfAttention", config_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(config_.num_layers); ++i) {
      h = t5_block(h, bias, blocks / i, config_);
    }
    graph.output("hidden",
                 nn::rms_norm(h, encoder / "final_layer_norm", config_.layer_norm_epsilon));
  };
  auto network = shapes_.get(fmt::format("1x{}", length), write);
  if (!network) return network.error();
  runtime::Tensor hidden({1, ids.size(), static_cast<std::size_t>(config_.d_model)});
  const runtime::Input input{"input_ids", {1, ids.size()}, std::span<const std::int64_t>(ids)};
  const runtime::Output output{"hidden", hidden.data()};
  if (auto ok = (*network)->run({&input, 1}, {&output, 1}); !ok) return ok.error();
  return hidden;
}

}  // namespace limner::models
