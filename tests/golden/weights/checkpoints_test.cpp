// Single-file checkpoints of every family under their original names, against what diffusers'
// converters make of them: names, shapes, bytes and configs.
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/value_to.hpp>
#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "weights/checkpoint.hpp"
#include "weights/checkpoint_names.hpp"
#include "weights/lora_names.hpp"
#include "weights/tensor_forms.hpp"

namespace limner::weights {
namespace {

json::array golden_checkpoints() {
  auto value = read_json_file(std::filesystem::path(LIMNER_SOURCE_DIR) /
                              "tests/golden/weights/checkpoints.json");
  EXPECT_TRUE(value);
  return value ? value->as_object().at("checkpoints").as_array() : json::array();
}

std::string text(const json::value& value) {
  return std::string(value.as_string());
}

// The golden's tensors: running 32-bit numbers as [first, step, count] runs.
SafetensorsHeader rebuild_file(const json::value& checkpoint) {
  SafetensorsHeader file;
  for (const auto& row : checkpoint.at("file").as_array()) {
    auto bytes = std::make_shared<std::vector<std::uint8_t>>();
    for (const auto& run : row.at(2).as_array()) {
      const auto [first, step, count] = json::value_to<std::array<std::int32_t, 3>>(run);
      for (std::int32_t i = 0; i < count; ++i) {
        const std::int32_t number = first + i * step;
        const auto* begin = reinterpret_cast<const std::uint8_t*>(&number);
        bytes->insert(bytes->end(), begin, begin + sizeof number);
      }
    }
    file.tensors[text(row.at(0))] = {.dtype = DType::I32,
                                     .shape = json::value_to<Shape>(row.at(1)),
                                     .bytes = *bytes,
                                     .owner = bytes};
  }
  return file;
}

void expect_tensors(const CheckpointComponent& component, const json::array& expected) {
  EXPECT_EQ(component.weights->names().size(), expected.size()) << component.name;
  for (const auto& row : expected) {
    const auto* tensor = component.weights->find(text(row.at(0)));
    ASSERT_TRUE(tensor) << component.name << " " << text(row.at(0));
    EXPECT_EQ(tensor->shape, json::value_to<Shape>(row.at(1))) << text(row.at(0));
    const std::string bytes(tensor->bytes.begin(), tensor->bytes.end());
    EXPECT_EQ(sha256_hex(bytes).substr(0, 16), text(row.at(2))) << text(row.at(0));
  }
}

// All that we deduce is so in the reference, and all that the reference sets is deduced.
void expect_config(const CheckpointComponent& component, const json::value& expected) {
  constexpr std::array bookkeeping = {"architectures", "model_type", "_class_name"};
  // Of T5's decoder and of training.
  constexpr std::array unread = {"num_decoder_layers", "is_encoder_decoder", "is_gated_act",
                                 "dense_act_fn",       "use_cache",          "dtype",
                                 "pad_token_id",       "force_upcast",       "num_key_value_heads"};
  const auto is_among = [](const auto& list, std::string_view key) {
    return std::ranges::find(list, key) != list.end();
  };
  const auto& reference = expected.at("config").as_object();
  for (const auto& [key, value] : component.config) {
    if (is_among(bookkeeping, key)) continue;
    const auto* theirs = reference.if_contains(key);
    ASSERT_TRUE(theirs) << component.name << " " << key;
    EXPECT_EQ(value, *theirs) << component.name << " " << key;
  }
  for (const auto& key : expected.at("set").as_array()) {
    const std::string name = text(key);
    if (is_among(unread, name) || is_among(bookkeeping, name)) continue;
    EXPECT_TRUE(component.config.contains(name)) << component.name << " lacks " << name;
  }
}

TEST(CheckpointGolden, EveryFamilyIsReadAsDiffusersReadsIt) {
  const auto checkpoints = golden_checkpoints();
  ASSERT_EQ(checkpoints.size(), 8u);
  for (const auto& golden : checkpoints) {
    const std::string family = text(golden.at("family"));
    SCOPED_TRACE(family);
    const auto file = rebuild_file(golden);
    auto checkpoint = read_checkpoint(file, "toy.safetensors", "fingerprint");
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    EXPECT_EQ(to_string(checkpoint->kind), family);
    EXPECT_TRUE(checkpoint->unknown.empty()) << checkpoint->unknown.front();
    const auto& components = golden.at("components").as_object();
    EXPECT_EQ(checkpoint->components.size(), components.size());
    for (const auto& [name, expected] : components) {
      const auto* component = checkpoint->find(name);
      ASSERT_TRUE(component) << name;
      expect_tensors(*component, expected.at("tensors").as_array());
      expect_config(*component, expected);
    }
  }
}

// kohya's scripts name modules as the original code does; each must lead to the weight, or the
// parts of several, that the checkpoint's own tensor of that name became.
TEST(CheckpointGolden, LorasFindEveryDenoiserModuleUnderItsOriginalName) {
  constexpr std::string_view root = "model.diffusion_model.";
  for (const auto& golden : golden_checkpoints()) {
    SCOPED_TRACE(text(golden.at("family")));
    const auto file = rebuild_file(golden);
    auto checkpoint = read_checkpoint(file, "toy.safetensors", "fingerprint");
    ASSERT_TRUE(checkpoint);
    auto& denoiser = *checkpoint->components.back().weights;
    const LoraNames names(denoiser);
    const bool has_root = file.tensors.lower_bound(root)->first.starts_with(root);
    std::size_t found = 0;
    for (const auto& [name, tensor] : file.tensors) {
      std::string_view module = name;
      if (has_root && !take_prefix(module, root)) continue;
      if (tensor.shape.size() < 2 || !module.ends_with(".weight")) continue;
      if (!has_root && !module.starts_with("double_blocks.") && !module.starts_with("single_"))
        continue;
      module.remove_suffix(std::string_view(".weight").size());
      const auto placements = names.find(with_underscores(module), tensor.shape[0]);
      EXPECT_FALSE(placements.empty()) << module;
      for (const auto& placement : placements) {
        const auto* weight = denoiser.find(placement.name);
        ASSERT_TRUE(weight) << module << " " << placement.name;
        const bool is_part = placement.form == Placement::Form::Rows;
        const auto part = is_part ? rows_of(tensor, placement.first_row, placement.row_count)
                          : placement.form == Placement::Form::HalvesSwapped
                              ? halves_swapped(tensor)
                              : tensor;
        EXPECT_TRUE(std::ranges::equal(part.bytes, weight->bytes)) << module;
        ++found;
      }
    }
    EXPECT_GT(found, 20u);
  }
}

}  // namespace
}  // namespace limner::weights
