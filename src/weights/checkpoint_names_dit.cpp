// The transformers of Stable Diffusion 3 (MMDiT) and FLUX.1 as their authors named their parts.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "weights/checkpoint_names.hpp"

namespace limner::weights {
namespace {

struct Rename {
  std::string_view from;
  std::string_view to;
  Placement::Form form = Placement::Form::Whole;
};

// Keeps three times a width from overflowing; a real one is 3,072.
constexpr std::int64_t kWidthMax = 1 << 28;

constexpr auto kSwapped = Placement::Form::HalvesSwapped;

Placements place(std::string name, Placement::Form form = Placement::Form::Whole) {
  return std::vector<Placement>{{.name = std::move(name), .form = form}};
}

// The first of `renames` that `name` begins with, put below `scope`.
template <typename Renames>
Placements place_renamed(std::string_view scope, std::string_view name, const Renames& renames) {
  for (const Rename& rename : renames) {
    std::string_view rest = name;
    if (take_prefix(rest, rename.from)) {
      return place(fmt::format("{}{}{}", scope, rename.to, rest), rename.form);
    }
  }
  return std::nullopt;
}

// Several linear layers on top of each other, of `sizes` rows; `kind` is "weight" or "bias".
Placements place_stacked(std::string_view scope, std::string_view kind,
                         const std::vector<std::pair<std::string_view, std::int64_t>>& sizes) {
  std::vector<Placement> parts;
  std::int64_t row = 0;
  for (const auto& [name, rows] : sizes) {
    parts.push_back({.name = fmt::format("{}{}.{}", scope, name, kind),
                     .form = Placement::Form::Rows,
                     .first_row = row,
                     .row_count = rows});
    row += rows;
  }
  return parts;
}

Placements place_qkv(std::string_view scope, std::string_view kind, const TensorView& tensor,
                     const std::array<std::string_view, 3>& names) {
  const std::int64_t rows = tensor.shape.empty() ? 0 : tensor.shape[0] / 3;
  return place_stacked(scope, kind, {{names[0], rows}, {names[1], rows}, {names[2], rows}});
}

constexpr std::array<std::string_view, 3> kSample = {"to_q", "to_k", "to_v"};
constexpr std::array<std::string_view, 3> kContext = {"add_q_proj", "add_k_proj", "add_v_proj"};

constexpr std::array<Rename, 8> kSd3Ends = {{
    {"x_embedder.proj.", "pos_embed.proj."},
    {"t_embedder.mlp.0.", "time_text_embed.timestep_embedder.linear_1."},
    {"t_embedder.mlp.2.", "time_text_embed.timestep_embedder.linear_2."},
    {"y_embedder.mlp.0.", "time_text_embed.text_embedder.linear_1."},
    {"y_embedder.mlp.2.", "time_text_embed.text_embedder.linear_2."},
    {"context_embedder.", "context_embedder."},
    {"final_layer.linear.", "proj_out."},
    {"final_layer.adaLN_modulation.1.", "norm_out.linear.", kSwapped},
}};

constexpr std::array<Rename, 9> kSd3Sample = {{
    {"attn.proj.", "attn.to_out.0."},
    {"attn.ln_q.", "attn.norm_q."},
    {"attn.ln_k.", "attn.norm_k."},
    {"attn2.proj.", "attn2.to_out.0."},
    {"attn2.ln_q.", "attn2.norm_q."},
    {"attn2.ln_k.", "attn2.norm_k."},
    {"adaLN_modulation.1.", "norm1.linear."},
    {"mlp.fc1.", "ff.net.0.proj."},
    {"mlp.fc2.", "ff.net.2."},
}};

constexpr std::array<Rename, 5> kSd3Context = {{
    {"attn.proj.", "attn.to_add_out."},
    {"attn.ln_q.", "attn.norm_added_q."},
    {"attn.ln_k.", "attn.norm_added_k."},
    {"mlp.fc1.", "ff_context.net.0.proj."},
    {"mlp.fc2.", "ff_context.net.2."},
}};

Placements place_sd3_block(std::string_view name, const TensorView& tensor,
                           std::size_t block_count) {
  const auto block = take_index(name);
  if (!block) return std::nullopt;
  const std::string scope = fmt::format("transformer_blocks.{}.", *block);
  if (take_prefix(name, "x_block.")) {
    for (const std::string_view attention : {"attn.", "attn2."}) {
      std::string_view kind = name;
      if (take_prefix(kind, attention) && take_prefix(kind, "qkv.")) {
        return place_qkv(scope + std::string(attention), kind, tensor, kSample);
      }
    }
    return place_renamed(scope, name, kSd3Sample);
  }
  if (!take_prefix(name, "context_block.")) return std::nullopt;
  if (take_prefix(name, "attn.qkv.")) return place_qkv(scope + "attn.", name, tensor, kContext);
  if (take_prefix(name, "adaLN_modulation.1.")) {
    // The last block only shifts and scales its context, with the two the other way round.
    const bool is_last = *block + 1 == block_count;
    return place(fmt::format("{}norm1_context.linear.{}", scope, name),
                 is_last ? kSwapped : Placement::Form::Whole);
  }
  return place_renamed(scope, name, kSd3Context);
}

constexpr std::array<Rename, 10> kFluxEnds = {{
    {"img_in.", "x_embedder."},
    {"txt_in.", "context_embedder."},
    {"time_in.in_layer.", "time_text_embed.timestep_embedder.linear_1."},
    {"time_in.out_layer.", "time_text_embed.timestep_embedder.linear_2."},
    {"vector_in.in_layer.", "time_text_embed.text_embedder.linear_1."},
    {"vector_in.out_layer.", "time_text_embed.text_embedder.linear_2."},
    {"guidance_in.in_layer.", "time_text_embed.guidance_embedder.linear_1."},
    {"guidance_in.out_layer.", "time_text_embed.guidance_embedder.linear_2."},
    {"final_layer.linear.", "proj_out."},
    {"final_layer.adaLN_modulation.1.", "norm_out.linear.", kSwapped},
}};

constexpr std::array<Rename, 8> kFluxDouble = {{
    {"img_mod.lin.", "norm1.linear."},
    {"txt_mod.lin.", "norm1_context.linear."},
    {"img_attn.proj.", "attn.to_out.0."},
    {"txt_attn.proj.", "attn.to_add_out."},
    {"img_mlp.0.", "ff.net.0.proj."},
    {"img_mlp.2.", "ff.net.2."},
    {"txt_mlp.0.", "ff_context.net.0.proj."},
    {"txt_mlp.2.", "ff_context.net.2."},
}};

constexpr std::array<Rename, 2> kFluxSingle = {{
    {"modulation.lin.", "norm.linear."},
    {"linear2.", "proj_out."},
}};

// The learned scale of a query or key norm is called `scale` by its authors, `weight` by others.
Placements place_norm(std::string_view scope, std::string_view name, std::string_view query,
                      std::string_view key) {
  const bool is_query = take_prefix(name, "query_norm.");
  if (!is_query && !take_prefix(name, "key_norm.")) return std::nullopt;
  if (name != "scale" && name != "weight") return std::nullopt;
  return place(fmt::format("{}{}.weight", scope, is_query ? query : key));
}

Placements place_flux_double(std::string_view name, const TensorView& tensor) {
  const auto block = take_index(name);
  if (!block) return std::nullopt;
  const std::string scope = fmt::format("transformer_blocks.{}.", *block);
  if (take_prefix(name, "img_attn.qkv.")) return place_qkv(scope + "attn.", name, tensor, kSample);
  if (take_prefix(name, "txt_attn.qkv.")) return place_qkv(scope + "attn.", name, tensor, kContext);
  if (take_prefix(name, "img_attn.norm."))
    return place_norm(scope, name, "attn.norm_q", "attn.norm_k");
  if (take_prefix(name, "txt_attn.norm.")) {
    return place_norm(scope, name, "attn.norm_added_q", "attn.norm_added_k");
  }
  return place_renamed(scope, name, kFluxDouble);
}

// `width` [D] tells q, k and v from the multilayer perceptron in linear1, which holds all four.
Placements place_flux_single(std::string_view name, const TensorView& tensor, std::int64_t width) {
  const auto block = take_index(name);
  if (!block) return std::nullopt;
  const std::string scope = fmt::format("single_transformer_blocks.{}.", *block);
  if (take_prefix(name, "norm.")) return place_norm(scope, name, "attn.norm_q", "attn.norm_k");
  if (take_prefix(name, "linear1.")) {
    const std::int64_t rows = tensor.shape.empty() ? 0 : tensor.shape[0];
    return place_stacked(scope, name,
                         {{"attn.to_q", width},
                          {"attn.to_k", width},
                          {"attn.to_v", width},
                          {"proj_mlp", rows - 3 * width}});
  }
  return place_renamed(scope, name, kFluxSingle);
}

}  // namespace

PlaceTensor sd3_names(const NetworkTensors& network) {
  return [block_count = network.count("joint_blocks.")](std::string_view name,
                                                        const TensorView& tensor) -> Placements {
    if (name == "pos_embed") return place("pos_embed.pos_embed");
    if (take_prefix(name, "joint_blocks.")) return place_sd3_block(name, tensor, block_count);
    return place_renamed("", name, kSd3Ends);
  };
}

PlaceTensor flux_names(const NetworkTensors& network) {
  std::int64_t width = 0;
  if (const auto it = network.tensors.find("img_in.weight");
      it != network.tensors.end() && !it->second.shape.empty()) {
    width = std::min(it->second.shape[0], kWidthMax);
  }
  return [width](std::string_view name, const TensorView& tensor) -> Placements {
    if (take_prefix(name, "double_blocks.")) return place_flux_double(name, tensor);
    if (take_prefix(name, "single_blocks.")) return place_flux_single(name, tensor, width);
    return place_renamed("", name, kFluxEnds);
  };
}

}  // namespace limner::weights
