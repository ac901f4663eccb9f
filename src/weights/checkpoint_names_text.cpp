// Text encoders: CLIP under transformers' names, OpenCLIP's text tower, T5's encoder.
#include <array>
#include <utility>

#include <fmt/format.h>

#include "weights/checkpoint_names.hpp"

namespace limner::weights {
namespace {

// Stable Diffusion 2 reads the last but one of OpenCLIP's 24 layers.
constexpr std::size_t kUnusedOpenClipBlock = 23;

Placements whole(std::string name) {
  return std::vector<Placement>{{.name = std::move(name)}};
}

Placements not_needed() {
  return std::vector<Placement>{};
}

// in_proj_weight and in_proj_bias hold q, k and v on top of each other.
Placements split_in_proj(const std::string& attention, std::string_view kind,
                         const TensorView& tensor) {
  const std::int64_t rows = tensor.shape.empty() ? 0 : tensor.shape[0] / 3;
  std::vector<Placement> parts;
  for (const std::string_view part : {"q_proj", "k_proj", "v_proj"}) {
    parts.push_back({.name = fmt::format("{}.{}.{}", attention, part, kind),
                     .form = Placement::Form::Rows,
                     .first_row = rows * static_cast<std::int64_t>(parts.size()),
                     .row_count = rows});
  }
  return parts;
}

Placements place_open_clip_block(std::string_view rest, const TensorView& tensor,
                                 bool leaves_out_last) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> renames = {{
      {"ln_1.", "layer_norm1."},
      {"ln_2.", "layer_norm2."},
      {"mlp.c_fc.", "mlp.fc1."},
      {"mlp.c_proj.", "mlp.fc2."},
      {"attn.out_proj.", "self_attn.out_proj."},
  }};
  const auto block = take_index(rest);
  if (!block) return std::nullopt;
  if (leaves_out_last && *block == kUnusedOpenClipBlock) return not_needed();
  const std::string layer = fmt::format("text_model.encoder.layers.{}.", *block);
  if (rest == "attn.in_proj_weight") return split_in_proj(layer + "self_attn", "weight", tensor);
  if (rest == "attn.in_proj_bias") return split_in_proj(layer + "self_attn", "bias", tensor);
  for (const auto& [from, to] : renames) {
    std::string_view tail = rest;
    if (take_prefix(tail, from)) return whole(fmt::format("{}{}{}", layer, to, tail));
  }
  return std::nullopt;
}

}  // namespace

PlaceTensor clip_names(bool has_projection) {
  return [=](std::string_view name, const TensorView&) -> Placements {
    if (name.ends_with("position_ids") || name == "logit_scale") return not_needed();
    if (name == "text_projection.weight") {
      return has_projection ? whole(std::string(name)) : not_needed();
    }
    if (name == "text_projection") {  // ComfyUI's way of keeping OpenCLIP's
      return has_projection ? Placements({{.name = "text_projection.weight",
                                           .form = Placement::Form::Transposed}})
                            : not_needed();
    }
    take_prefix(name, "text_model.");  // missing in files of transformers before 4.0
    if (name.starts_with("embeddings.") || name.starts_with("encoder.") ||
        name.starts_with("final_layer_norm.")) {
      return whole(fmt::format("text_model.{}", name));
    }
    return std::nullopt;
  };
}

PlaceTensor open_clip_names(bool has_projection, bool leaves_out_last) {
  return [=](std::string_view name, const TensorView& tensor) -> Placements {
    if (name == "logit_scale" || name == "attn_mask") return not_needed();
    if (name == "text_projection.weight") {  // a linear layer's, as SSD-1B has it
      return has_projection ? whole(std::string(name)) : not_needed();
    }
    if (name == "text_projection") {
      if (!has_projection) return not_needed();
      return Placements({{.name = "text_projection.weight", .form = Placement::Form::Transposed}});
    }
    if (name == "positional_embedding") {
      return whole("text_model.embeddings.position_embedding.weight");
    }
    if (name == "token_embedding.weight") {
      return whole("text_model.embeddings.token_embedding.weight");
    }
    if (take_prefix(name, "ln_final.")) {
      return whole(fmt::format("text_model.final_layer_norm.{}", name));
    }
    if (take_prefix(name, "transformer.resblocks.")) {
      return place_open_clip_block(name, tensor, leaves_out_last);
    }
    return std::nullopt;
  };
}

PlaceTensor t5_names(const NetworkTensors& network) {
  return [has_shared = network.has("shared.weight")](std::string_view name,
                                                     const TensorView&) -> Placements {
    // The same table under its other name, and the tokenizer's file that ComfyUI packs beside some.
    if (name == "encoder.embed_tokens.weight") {
      return has_shared ? not_needed() : whole("shared.weight");
    }
    if (name == "spiece_model") return not_needed();
    if (name == "shared.weight" || name.starts_with("encoder.")) return whole(std::string(name));
    return std::nullopt;
  };
}

}  // namespace limner::weights
