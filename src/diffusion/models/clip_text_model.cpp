#include "diffusion/models/clip_text_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "diffusion/models/config_reader.hpp"
#include "nn/ir_network.hpp"
#include "nn/ops.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

Result<ClipTextConfig> ClipTextConfig::parse(const Component& component) {
  ClipTextConfig c;
  ConfigReader r(component.config, component.where);
  c.vocab_size = r.integer("vocab_size", c.vocab_size);
  c.hidden_size = r.integer("hidden_size", c.hidden_size);
  c.intermediate_size = r.integer("intermediate_size", c.intermediate_size);
  c.num_hidden_layers = r.integer("num_hidden_layers", c.num_hidden_layers);
  c.num_attention_heads = r.integer("num_attention_heads", c.num_attention_heads);
  c.max_position_embeddings = r.integer("max_position_embeddings", c.max_position_embeddings);
  c.hidden_act = r.string("hidden_act", c.hidden_act);
  c.layer_norm_eps = r.number("layer_norm_eps", c.layer_norm_eps);
  c.eos_token_id = r.integer("eos_token_id", c.eos_token_id);
  c.projection_dim = r.integer("projection_dim", c.projection_dim);
  c.use_attention_mask = r.boolean("use_attention_mask", false);
  const auto kinds = r.strings("architectures", {"CLIPTextModel"});
  if (kinds.size() != 1 ||
      (kinds[0] != "CLIPTextModel" && kinds[0] != "CLIPTextModelWithProjection")) {
    r.fail("architectures", "only CLIPTextModel and CLIPTextModelWithProjection are supported");
  } else {
    c.has_projection = kinds[0] == "CLIPTextModelWithProjection";
  }
  if (const auto type = r.string("model_type", "clip_text_model");
      type != "clip_text_model" && type != "clip") {
    r.fail("model_type", fmt::format("\"{}\" is not a CLIP text model", type));
  }
  r.ignore_transformers_bookkeeping();
  if (auto ok = r.finish(); !ok) return ok.error();
  const bool has_sizes = c.vocab_size > 0 && c.hidden_size > 0 && c.num_hidden_layers > 0 &&
                         c.num_attention_heads > 0 && c.max_position_embeddings > 1 &&
                         c.hidden_size % c.num_attention_heads == 0;
  if (!has_sizes) {
    return invalid_value("",
                         component.where + ": sizes must be positive and heads divide the width",
                         "invalid_model");
  }
  return c;
}

namespace {

// x [B, S, D] → [B, S, D]
Value self_attention(const Value& x, const Value& mask, const WeightScope& w, std::int64_t heads) {
  const Value q = nn::split_heads(nn::linear(x, w / "q_proj"), heads);
  const Value k = nn::split_heads(nn::linear(x, w / "k_proj"), heads);
  const Value v = nn::split_heads(nn::linear(x, w / "v_proj"), heads);
  return nn::linear(nn::merge_heads(nn::scaled_dot_product_attention(q, k, v, mask)),
                    w / "out_proj");
}

// What the exported encoder gives: layers as they are, or the last one normalised.
void write_ir(nn::Graph& graph, const Value& tokens, const std::filesystem::path& ir,
              const ClipTextConfig& config, int skip, bool apply_final_norm) {
  if (apply_final_norm && skip > 0) {
    throw nn::GraphError("an exported text encoder normalises its last layer only: no clip_skip");
  }
  const std::string hidden = apply_final_norm
                                 ? "last_hidden_state"
                                 : fmt::format("hidden_states.{}", config.num_hidden_layers - skip);
  const auto values =
      nn::ir_network(ir, {{"input_ids", tokens}},
                     {hidden, config.has_projection ? "text_embeds" : "pooler_output"});
  graph.output("hidden", values[0]);
  graph.output("pooled", values[1]);
}

}  // namespace

Value clip_encoder_layer(const Value& x, const Value& mask, const WeightScope& w,
                         const ClipTextConfig& config) {
  const double eps = config.layer_norm_eps;
  const Value h = x + self_attention(nn::layer_norm(x, w / "layer_norm1", eps), mask,
                                     w / "self_attn", config.num_attention_heads);
  const WeightScope mlp = w / "mlp";
  const Value inner = nn::linear(nn::layer_norm(h, w / "layer_norm2", eps), mlp / "fc1");
  return h + nn::linear(nn::activation(inner, config.hidden_act), mlp / "fc2");
}

ClipTextModel::ClipTextModel(runtime::Runtime& runtime, const Component& component,
                             ClipTextConfig config, const NetworkOptions& options)
    : config_(std::move(config)), shapes_(runtime, component, options) {}

Result<ClipTextModel> ClipTextModel::load(runtime::Runtime& runtime, const Component& component,
                                          const NetworkOptions& options) {
  auto config = ClipTextConfig::parse(component);
  if (!config) return config.error();
  return ClipTextModel(runtime, component, *std::move(config), options);
}

Result<ClipTextModel::Output> ClipTextModel::run(const std::vector<std::vector<std::int64_t>>& ids,
                                                 int skip, bool apply_final_norm) {
  const auto rows = static_cast<std::int64_t>(ids.size());
  const auto length = static_cast<std::int64_t>(ids.at(0).size());
  const std::int64_t layer_count = config_.num_hidden_layers - skip;
  if (layer_count < 0) {
    return invalid_value("clip_skip",
                         fmt::format("clip_skip: got {}, this text encoder has {} layers", skip,
                                     config_.num_hidden_layers));
  }
  const auto write = [&](nn::Graph& graph, const WeightScope& root) {
    const WeightScope w = root.has("text_model") ? root / "text_model" : root;
    const Value tokens = graph.input_int64("input_ids", {rows, length});
    if (!shapes_.ir().empty()) {
      write_ir(graph, tokens, shapes_.ir(), config_, skip, apply_final_norm);
      return;
    }
    const WeightScope embeddings = w / "embeddings";
    const Value positions =
        nn::slice(nn::parameter(embeddings / "position_embedding", "weight"), 0, 0, length);
    Value h = nn::embedding(tokens, embeddings / "token_embedding") + positions;
    const Value mask = nn::causal_mask(length);
    Value chosen = h;  // every layer skipped: the embeddings
    for (std::int64_t i = 0; i < config_.num_hidden_layers; ++i) {
      h = clip_encoder_layer(h, mask, w / "encoder" / "layers" / static_cast<std::size_t>(i),
                             config_);
      if (i + 1 == layer_count) chosen = h;
    }
    const auto final_norm = [&](const Value& x) {
      return nn::layer_norm(x, w / "final_layer_norm", config_.layer_norm_eps);
    };
    graph.output("hidden", apply_final_norm ? final_norm(chosen) : chosen);
    // One-hot rows pick the end-of-text position: [B, 1, S] x [B, S, D] → [B, D].
    const Value picked = nn::matmul(graph.input("end_position", {rows, 1, length}), final_norm(h));
    const Value pooled = nn::reshape(picked, {rows, config_.hidden_size});
    graph.output("pooled",
                 config_.has_projection ? nn::linear(pooled, root / "text_projection") : pooled);
  };
  auto network = shapes_.get(
      fmt::format("{}x{} skip {} norm {}", rows, length, skip, apply_final_norm), write);
  if (!network) return network.error();

  std::vector<std::int64_t> flat;
  runtime::Tensor end_position({ids.size(), 1, ids[0].size()});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& row = ids[i];
    flat.insert(flat.end(), row.begin(), row.end());
    // Exporters before transformers 4.30 wrote eos_token_id 2; the highest id is meant then.
    const auto end = config_.eos_token_id == 2 ? std::ranges::max_element(row)
                                               : std::ranges::find(row, config_.eos_token_id);
    end_position.row(i)[end == row.end() ? 0 : static_cast<std::size_t>(end - row.begin())] = 1;
  }
  const std::size_t width = static_cast<std::size_t>(config_.hidden_size);
  const std::size_t pooled_width =
      config_.has_projection ? static_cast<std::size_t>(config_.projection_dim) : width;
  Output output{runtime::Tensor({ids.size(), ids[0].size(), width}),
                runtime::Tensor({ids.size(), pooled_width})};
  const std::array inputs{
      runtime::Input{"input_ids", {ids.size(), ids[0].size()}, std::span<const std::int64_t>(flat)},
      runtime::Input{"end_position", end_position.shape(), std::as_const(end_position).data()}};
  const std::array outputs{runtime::Output{"hidden", output.hidden.data()},
                           runtime::Output{"pooled", output.pooled.data()}};
  // Exported encoders find the end themselves.
  const auto given = std::span(inputs).first(shapes_.ir().empty() ? 2 : 1);
  if (auto ok = (*network)->run(given, outputs); !ok) return ok.error();
  return output;
}

}  // namespace limner::models
