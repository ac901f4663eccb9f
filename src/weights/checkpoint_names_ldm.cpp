// Stable Diffusion's UNet and autoencoder as CompVis and Stability AI named their parts.
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "weights/checkpoint_names.hpp"

namespace limner::weights {
namespace {

using Renames = std::span<const std::pair<std::string_view, std::string_view>>;

Placements whole(std::string name) {
  return std::vector<Placement>{{.name = std::move(name)}};
}

// `rest` with the first of `renames` that it begins with, up to a dot, replaced.
std::optional<std::string> renamed(std::string_view rest, Renames renames) {
  for (const auto& [from, to] : renames) {
    if (rest.starts_with(from) && rest.substr(from.size()).starts_with('.')) {
      return fmt::format("{}{}", to, rest.substr(from.size()));
    }
  }
  return std::nullopt;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kUnetResnet = {{
    {"in_layers.0", "norm1"},
    {"in_layers.2", "conv1"},
    {"emb_layers.1", "time_emb_proj"},
    {"out_layers.0", "norm2"},
    {"out_layers.3", "conv2"},
    {"skip_connection", "conv_shortcut"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kUnetEnds = {{
    {"input_blocks.0.0", "conv_in"},
    {"time_embed.0", "time_embedding.linear_1"},
    {"time_embed.2", "time_embedding.linear_2"},
    {"time_embed.cond_proj", "time_embedding.cond_proj"},
    {"out.0", "conv_norm_out"},
    {"out.2", "conv_out"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kUnetLabels = {{
    {"label_emb.0.0", "add_embedding.linear_1"},
    {"label_emb.0.2", "add_embedding.linear_2"},
}};

// Where entry i of input_blocks or output_blocks is in diffusers' nesting.
struct Place {
  std::size_t block = 0;
  std::size_t layer = 0;
};

// In `input_blocks` a downsampler stands alone and ends its block; in `output_blocks` an upsampler
// ends the block whose last layer it shares an entry with.
std::vector<Place> input_places(const NetworkTensors& network) {
  std::vector<Place> places(1);  // entry 0 is conv_in
  Place next;
  for (std::size_t i = 1; i < network.count("input_blocks."); ++i) {
    places.push_back(next);
    const bool ends = network.has(fmt::format("input_blocks.{}.0.op.weight", i));
    next = ends ? Place{next.block + 1, 0} : Place{next.block, next.layer + 1};
  }
  return places;
}

std::vector<Place> output_places(const NetworkTensors& network) {
  std::vector<Place> places;
  Place next;
  for (std::size_t i = 0; i < network.count("output_blocks."); ++i) {
    places.push_back(next);
    const bool ends = network.has(fmt::format("output_blocks.{}.1.conv.weight", i)) ||
                      network.has(fmt::format("output_blocks.{}.2.conv.weight", i));
    next = ends ? Place{next.block + 1, 0} : Place{next.block, next.layer + 1};
  }
  return places;
}

// `rest` of an entry: `0.` a resnet or downsampler, `1.` an attention or upsampler, `2.` an
// upsampler.
Placements place_entry(std::string_view rest, const Place& place, std::string_view side) {
  const auto part = take_index(rest);
  if (!part || *part > 2) return std::nullopt;
  if (*part == 0 && take_prefix(rest, "op.")) {
    return whole(fmt::format("{}.{}.downsamplers.0.conv.{}", side, place.block, rest));
  }
  if (*part > 0 && rest.starts_with("conv.")) {
    return whole(fmt::format("{}.{}.upsamplers.0.{}", side, place.block, rest));
  }
  if (*part == 0) {
    const auto layer = renamed(rest, kUnetResnet);
    if (!layer) return std::nullopt;
    return whole(fmt::format("{}.{}.resnets.{}.{}", side, place.block, place.layer, *layer));
  }
  if (*part == 2) return std::nullopt;
  return whole(fmt::format("{}.{}.attentions.{}.{}", side, place.block, place.layer, rest));
}

Placements place_middle(std::string_view rest) {
  const auto part = take_index(rest);
  if (!part) return std::nullopt;
  if (*part % 2 == 1) return whole(fmt::format("mid_block.attentions.{}.{}", *part / 2, rest));
  const auto layer = renamed(rest, kUnetResnet);
  if (!layer) return std::nullopt;
  return whole(fmt::format("mid_block.resnets.{}.{}", *part / 2, *layer));
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kVaeEnds = {{
    {"conv_in", "conv_in"},
    {"conv_out", "conv_out"},
    {"norm_out", "conv_norm_out"},
    {"mid.block_1", "mid_block.resnets.0"},
    {"mid.block_2", "mid_block.resnets.1"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kVaeAttention = {{
    {"norm", "group_norm"},
    {"q", "to_q"},
    {"k", "to_k"},
    {"v", "to_v"},
    {"proj_out", "to_out.0"},
}};

std::string with_shortcut_renamed(std::string name) {
  constexpr std::string_view old_name = "nin_shortcut";
  if (const auto at = name.find(old_name); at != name.npos) {
    name.replace(at, old_name.size(), "conv_shortcut");
  }
  return name;
}

// A tensor of the encoder or decoder, without that word. `level_count` turns the decoder's order
// round: the original counts its levels from the finest.
Placements place_vae_half(std::string_view half, std::string_view rest, std::size_t level_count) {
  if (take_prefix(rest, "mid.attn_1.")) {
    const auto name = renamed(rest, kVaeAttention);
    if (!name) return std::nullopt;
    const bool is_matrix = name->ends_with(".weight") && !name->starts_with("group_norm");
    return std::vector<Placement>{
        {.name = fmt::format("{}.mid_block.attentions.0.{}", half, *name),
         .form = is_matrix ? Placement::Form::Matrix : Placement::Form::Whole}};
  }
  const bool is_down = take_prefix(rest, "down.");
  if (is_down || take_prefix(rest, "up.")) {
    const auto level = take_index(rest);
    if (!level || *level >= level_count) return std::nullopt;
    const std::size_t block = is_down ? *level : level_count - 1 - *level;
    const std::string place = fmt::format("{}.{}_blocks.{}", half, is_down ? "down" : "up", block);
    if (take_prefix(rest, "downsample."))
      return whole(place + ".downsamplers.0." + std::string(rest));
    if (take_prefix(rest, "upsample.")) return whole(place + ".upsamplers.0." + std::string(rest));
    if (!take_prefix(rest, "block.")) return std::nullopt;
    return whole(with_shortcut_renamed(place + ".resnets." + std::string(rest)));
  }
  const auto name = renamed(rest, kVaeEnds);
  if (!name) return std::nullopt;
  return whole(with_shortcut_renamed(fmt::format("{}.{}", half, *name)));
}

}  // namespace

PlaceTensor ldm_unet_names(const NetworkTensors& network) {
  return [inputs = input_places(network), outputs = output_places(network)](
             std::string_view name, const TensorView&) -> Placements {
    if (const auto end = renamed(name, kUnetEnds)) return whole(*end);
    if (const auto label = renamed(name, kUnetLabels)) return whole(*label);
    if (take_prefix(name, "middle_block.")) return place_middle(name);
    const bool is_input = take_prefix(name, "input_blocks.");
    if (!is_input && !take_prefix(name, "output_blocks.")) return std::nullopt;
    const auto& places = is_input ? inputs : outputs;
    const auto entry = take_index(name);
    if (!entry || *entry >= places.size()) return std::nullopt;
    return place_entry(name, places[*entry], is_input ? "down_blocks" : "up_blocks");
  };
}

PlaceTensor ldm_vae_names(const NetworkTensors& network) {
  return [down = network.count("encoder.down."), up = network.count("decoder.up.")](
             std::string_view name, const TensorView&) -> Placements {
    if (name.starts_with("quant_conv.") || name.starts_with("post_quant_conv.")) {
      return whole(std::string(name));
    }
    if (take_prefix(name, "encoder.")) return place_vae_half("encoder", name, down);
    if (take_prefix(name, "decoder.")) return place_vae_half("decoder", name, up);
    // The discriminator of its training, and the moving averages kept beside the weights.
    if (name.starts_with("loss.") || name.starts_with("model_ema."))
      return std::vector<Placement>{};
    return std::nullopt;
  };
}

}  // namespace limner::weights
