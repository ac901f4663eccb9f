#include "weights/lora_settings.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace limner::weights {
namespace {

constexpr std::string_view kHeaderKey = "lora_adapter_metadata";
constexpr std::array<std::string_view, 5> kComponents = {"unet", "transformer", "text_encoder",
                                                         "text_encoder_2", "text_encoder_3"};

Error unreadable(std::string_view key, std::string_view why) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = fmt::format("{}: {}", key, why),
          .code = "invalid_lora"};
}

// PEFT's patterns are regular expressions, which it writes as plain names with dots, at times
// anchored. Nothing else is read: expressions of strangers can take for ever.
bool is_plain(std::string_view pattern) {
  return pattern.find_first_of("*+?()[]{}|") == pattern.npos && pattern.find("\\d") == pattern.npos;
}

std::string without_escapes(std::string_view pattern) {
  std::string plain;
  for (const char c : pattern) {
    if (c != '\\') plain += c;
  }
  if (plain.ends_with('$')) plain.pop_back();
  return plain;
}

// A whole name, or its last words.
bool fits(std::string_view pattern, std::string_view module) {
  if (pattern.starts_with('^')) return pattern.substr(1) == module;
  if (!module.ends_with(pattern)) return false;
  const std::size_t before = module.size() - pattern.size();
  return before == 0 || module[before - 1] == '.';
}

}  // namespace

Result<LoraSettings> LoraSettings::read(const SafetensorsHeader& file,
                                        const json::object& adapter_config) {
  LoraSettings settings;
  if (!adapter_config.empty()) {
    auto type = get_string(adapter_config, "peft_type", "LORA", "adapter_config.json");
    if (!type) return type.error();
    if (*type != "LORA") return unreadable("peft_type", fmt::format("{} is not supported", *type));
    auto adapter = read_adapter(adapter_config, "");
    if (!adapter) return adapter.error();
    settings.of_all_ = *std::move(adapter);
  }
  const auto header = file.metadata.find(kHeaderKey);
  if (header == file.metadata.end()) return settings;
  const auto value = parse_json(header->second, {.depth_max = 8, .values_max = 100'000});
  const auto* object = value ? value->if_object() : nullptr;
  if (!object) return unreadable(kHeaderKey, "is not a JSON object");
  for (const auto component : kComponents) {
    const std::string prefix = fmt::format("{}.", component);
    const bool is_there = std::ranges::any_of(*object, [&](const auto& member) {
      return std::string_view(member.key()).starts_with(prefix);
    });
    if (!is_there) continue;
    auto adapter = read_adapter(*object, prefix);
    if (!adapter) return adapter.error();
    settings.by_component_.emplace(component, *std::move(adapter));
  }
  return settings;
}

Result<LoraSettings::Adapter> LoraSettings::read_adapter(const json::object& config,
                                                         std::string_view prefix) {
  Adapter adapter;
  const auto key = [&](std::string_view name) { return fmt::format("{}{}", prefix, name); };
  auto alpha = get_number(config, key("lora_alpha"), adapter.alpha, "LoRA");
  if (!alpha) return alpha.error();
  adapter.alpha = *alpha;
  auto stabilised = get_bool(config, key("use_rslora"), false, "LoRA");
  if (!stabilised) return stabilised.error();
  adapter.is_rank_stabilised = *stabilised;
  const auto* patterns = config.if_contains(key("alpha_pattern"));
  if (!patterns || patterns->is_null()) return adapter;
  if (!patterns->is_object()) return unreadable(key("alpha_pattern"), "is not an object");
  for (const auto& [pattern, value] : patterns->get_object()) {
    if (!is_plain(pattern) || !value.is_number()) {
      return unreadable(
          key("alpha_pattern"),
          fmt::format("\"{:.80}\" is no module's name with a number", std::string_view(pattern)));
    }
    adapter.alpha_patterns.emplace_back(without_escapes(pattern), value.to_number<double>());
  }
  return adapter;
}

double LoraSettings::scale(std::string_view component, std::string_view module, double rank,
                           std::optional<double> own_alpha) const {
  const auto it = by_component_.find(component);
  const Adapter* adapter = it != by_component_.end() ? &it->second : of_all_ ? &*of_all_ : nullptr;
  if (!adapter) return own_alpha.value_or(rank) / rank;
  double alpha = adapter->alpha;
  for (const auto& [pattern, value] : adapter->alpha_patterns) {
    if (!fits(pattern, module)) continue;
    alpha = value;
    break;
  }
  return alpha / (adapter->is_rank_stabilised ? std::sqrt(rank) : rank);
}

}  // namespace limner::weights
