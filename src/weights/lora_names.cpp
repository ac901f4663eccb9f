#include "weights/lora_names.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace limner::weights {
namespace {

constexpr std::string_view kWeight = ".weight";

// How far into the flat list of the original code each block begins.
struct BlockStarts {
  std::vector<std::size_t> start;
  std::vector<std::size_t> layers;
};

class UnetStructure {
 public:
  explicit UnetStructure(const std::vector<std::string>& modules)
      : modules_(modules.begin(), modules.end()),
        down_(starts("down_blocks", 1, "downsamplers.0.conv")),
        up_(starts("up_blocks", 0, "")) {}

  // The original name of a module of diffusers' UNet, without one where it never had one.
  std::optional<std::string> original(std::string_view module) const {
    if (take_prefix(module, "mid_block.")) return middle(module);
    const bool is_down = take_prefix(module, "down_blocks.");
    if (!is_down && !take_prefix(module, "up_blocks.")) return end(module);
    const BlockStarts& blocks = is_down ? down_ : up_;
    const auto block = take_index(module);
    if (!block || *block >= blocks.start.size()) return std::nullopt;
    const std::string_view side = is_down ? "input_blocks" : "output_blocks";
    const std::size_t start = blocks.start[*block];
    if (module == "downsamplers.0.conv") {
      return fmt::format("{}.{}.0.op", side, start + blocks.layers[*block]);
    }
    if (module == "upsamplers.0.conv") {
      const bool attends = has_below(fmt::format("up_blocks.{}.attentions.", *block));
      return fmt::format("{}.{}.{}.conv", side, start + blocks.layers[*block] - 1, attends ? 2 : 1);
    }
    const bool is_resnet = take_prefix(module, "resnets.");
    if (!is_resnet && !take_prefix(module, "attentions.")) return std::nullopt;
    const auto layer = take_index(module);
    if (!layer) return std::nullopt;
    const auto part = is_resnet ? resnet_part(module) : std::string(module);
    return fmt::format("{}.{}.{}.{}", side, start + *layer, is_resnet ? 0 : 1, part);
  }

 private:
  using Rename = std::pair<std::string_view, std::string_view>;

  static std::string renamed(std::string_view module, std::span<const Rename> renames) {
    const auto it = std::ranges::find(renames, module, &Rename::first);
    return std::string(it == renames.end() ? module : it->second);
  }

  static std::string resnet_part(std::string_view module) {
    constexpr std::array<Rename, 4> renames = {{{"conv1", "in_layers.2"},
                                                {"conv2", "out_layers.3"},
                                                {"time_emb_proj", "emb_layers.1"},
                                                {"conv_shortcut", "skip_connection"}}};
    return renamed(module, renames);
  }

  static std::optional<std::string> end(std::string_view module) {
    constexpr std::array<Rename, 6> renames = {{{"conv_in", "input_blocks.0.0"},
                                                {"conv_out", "out.2"},
                                                {"time_embedding.linear_1", "time_embed.0"},
                                                {"time_embedding.linear_2", "time_embed.2"},
                                                {"add_embedding.linear_1", "label_emb.0.0"},
                                                {"add_embedding.linear_2", "label_emb.0.2"}}};
    return renamed(module, renames);
  }

  static std::optional<std::string> middle(std::string_view module) {
    const bool is_resnet = take_prefix(module, "resnets.");
    if (!is_resnet && !take_prefix(module, "attentions.")) return std::nullopt;
    const auto layer = take_index(module);
    if (!layer) return std::nullopt;
    return is_resnet ? fmt::format("middle_block.{}.{}", 2 * *layer, resnet_part(module))
                     : fmt::format("middle_block.{}.{}", 2 * *layer + 1, module);
  }

  bool has_below(std::string_view prefix) const {
    const auto it = modules_.lower_bound(prefix);
    return it != modules_.end() && it->starts_with(prefix);
  }

  // `own_entry`: the module that takes an entry of its own at the end of a block.
  BlockStarts starts(std::string_view side, std::size_t first, std::string_view own_entry) const {
    BlockStarts blocks;
    for (std::size_t block = 0; has_below(fmt::format("{}.{}.", side, block)); ++block) {
      std::size_t layers = 0;
      while (has_below(fmt::format("{}.{}.resnets.{}.", side, block, layers))) ++layers;
      blocks.start.push_back(first);
      blocks.layers.push_back(layers);
      first += layers;
      first +=
          !own_entry.empty() && modules_.contains(fmt::format("{}.{}.{}", side, block, own_entry));
    }
    return blocks;
  }

  std::set<std::string, std::less<>> modules_;
  BlockStarts down_;
  BlockStarts up_;
};

std::size_t count_blocks(const std::vector<std::string>& modules, std::string_view stem) {
  std::size_t count = 0;
  for (std::string_view module : modules) {
    if (!take_prefix(module, stem)) continue;
    if (const auto index = take_index(module)) count = std::max(count, *index + 1);
  }
  return count;
}

}  // namespace

std::string with_underscores(std::string_view name) {
  std::string flat(name);
  std::ranges::replace(flat, '.', '_');
  return flat;
}

LoraNames::LoraNames(WeightSource& network) {
  std::vector<std::string> modules;
  for (const auto& name : network.names()) {
    if (!name.ends_with(kWeight)) continue;
    modules.push_back(name.substr(0, name.size() - kWeight.size()));
    weights_.emplace(with_underscores(modules.back()), name);
  }
  if (network.find("conv_in.weight")) {
    add_unet_originals(modules);
  } else if (network.find("x_embedder.weight") || network.find("pos_embed.proj.weight")) {
    add_transformer_originals(network, modules);
  }
}

void LoraNames::add_unet_originals(const std::vector<std::string>& modules) {
  const UnetStructure structure(modules);
  for (const auto& module : modules) {
    if (const auto original = structure.original(module)) {
      weights_.emplace(with_underscores(*original), module + std::string(kWeight));
    }
  }
}

void LoraNames::add_transformer_originals(WeightSource& network,
                                          const std::vector<std::string>& modules) {
  const auto add = [&](const std::string& name) {
    originals_.emplace(with_underscores(name), name + std::string(kWeight));
  };
  const std::size_t blocks = count_blocks(modules, "transformer_blocks.");
  // As the original file would have it: what the name maps look at, and no bytes.
  NetworkTensors original;
  if (const auto* embedder = network.find("x_embedder.weight")) {
    original.tensors["img_in.weight"] = {
        .dtype = embedder->dtype, .shape = embedder->shape, .bytes = {}, .owner = nullptr};
    place_original_ = flux_names(original);
    for (std::size_t i = 0; i < blocks; ++i) {
      for (const std::string_view part : {"attn.qkv", "attn.proj", "mlp.0", "mlp.2", "mod.lin"}) {
        for (const std::string_view side : {"img", "txt"}) {
          add(fmt::format("double_blocks.{}.{}_{}", i, side, part));
        }
      }
    }
    for (std::size_t i = 0; i < count_blocks(modules, "single_transformer_blocks."); ++i) {
      for (const std::string_view part : {"linear1", "linear2", "modulation.lin"}) {
        add(fmt::format("single_blocks.{}.{}", i, part));
      }
    }
    for (const std::string_view end :
         {"img_in", "txt_in", "final_layer.linear", "final_layer.adaLN_modulation.1",
          "time_in.in_layer", "time_in.out_layer", "vector_in.in_layer", "vector_in.out_layer",
          "guidance_in.in_layer", "guidance_in.out_layer"}) {
      add(std::string(end));
    }
    return;
  }
  for (std::size_t i = 0; i < blocks; ++i) {
    original.tensors[fmt::format("joint_blocks.{}.", i)] = {};
    for (const std::string_view side : {"x_block", "context_block"}) {
      for (const std::string_view part : {"attn.qkv", "attn.proj", "attn2.qkv", "attn2.proj",
                                          "mlp.fc1", "mlp.fc2", "adaLN_modulation.1"}) {
        add(fmt::format("joint_blocks.{}.{}.{}", i, side, part));
      }
    }
  }
  place_original_ = sd3_names(original);
  for (const std::string_view end :
       {"x_embedder.proj", "t_embedder.mlp.0", "t_embedder.mlp.2", "y_embedder.mlp.0",
        "y_embedder.mlp.2", "final_layer.linear", "final_layer.adaLN_modulation.1"}) {
    add(std::string(end));
  }
}

std::vector<Placement> LoraNames::find(std::string_view module, std::int64_t rows) const {
  if (const auto it = weights_.find(module); it != weights_.end()) return {{.name = it->second}};
  const auto it = originals_.find(module);
  if (it == originals_.end()) return {};
  const TensorView of_that_height{
      .dtype = DType::F32, .shape = {rows, 1}, .bytes = {}, .owner = nullptr};
  return place_original_(it->second, of_that_height).value_or(std::vector<Placement>{});
}

}  // namespace limner::weights
