#include "config/yaml_file.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/files.hpp"
#include "config/nearest.hpp"
#include "config/parse_value.hpp"
#include "config/settings.hpp"

namespace limner::config {
namespace {

constexpr std::size_t kFileBytesMax = 1u << 20;

struct Place {
  std::filesystem::path file;

  std::string at(const YAML::Node& node) const {
    return fmt::format("{}:{}", file.filename().string(), node.Mark().line + 1);
  }
  Error error(const YAML::Node& node, std::string_view what) const {
    return invalid_value("", fmt::format("{}: {}", at(node), what), "invalid_config");
  }
};

bool is_path(std::string_view value_name) {
  return value_name == "DIR" || value_name == "FILE";
}

std::string resolve(const Place& place, const std::string& text, std::string_view value_name) {
  if (!is_path(value_name) || text.empty()) return text;
  return (place.file.parent_path() / text).lexically_normal().string();
}

template <typename Table>
std::vector<std::string_view> keys_of(const Table& table) {
  std::vector<std::string_view> keys;
  for (const auto& row : table) keys.push_back(row.key);
  return keys;
}

Error unknown_key(const Place& place, const YAML::Node& key,
                  std::span<const std::string_view> known) {
  const auto name = key.as<std::string>("");
  const auto guess = nearest(name, known);
  return place.error(
      key, guess.empty() ? fmt::format("unknown key \"{}\"; docs/config.md lists them", name)
                         : fmt::format("unknown key \"{}\"; did you mean \"{}\"?", name, guess));
}

// A scalar, a list of scalars or (aliases) a map of scalars → texts with their places.
Result<RawValues> texts_of(const Place& place, const YAML::Node& node, std::string_view key,
                           std::string_view value_name) {
  RawValues values;
  const auto add = [&](const YAML::Node& scalar, const std::string& prefix) -> bool {
    if (!scalar.IsScalar()) return false;
    values.push_back({.text = prefix + resolve(place, scalar.Scalar(), value_name),
                      .where = fmt::format("{}: {}", place.at(scalar), key)});
    return true;
  };
  bool is_plain = true;
  if (node.IsSequence()) {
    for (const auto& entry : node) is_plain = is_plain && add(entry, "");
  } else if (node.IsMap()) {
    for (const auto& entry : node) {
      is_plain = is_plain && add(entry.second, entry.first.as<std::string>("") + "=");
    }
  } else {
    is_plain = add(node, "");
  }
  if (!is_plain) return place.error(node, fmt::format("{}: expected plain values", key));
  return values;
}

Result<void> read_model_setting(const Place& place, const YAML::Node& key, const YAML::Node& node,
                                ModelConfig& model) {
  const auto table = model_settings();
  const auto name = key.as<std::string>("");
  const auto setting = std::ranges::find(table, name, &ModelSetting::key);
  if (setting == table.end()) return unknown_key(place, key, keys_of(table));
  if (node.IsMap()) return place.error(node, fmt::format("{}: expected {}", name, setting->value));
  auto values = texts_of(place, node, name, setting->value);
  if (!values) return values.error();
  if (values->empty()) return place.error(key, fmt::format("{}: the list is empty", name));
  if (values->size() > 1 && !setting->value.starts_with('[')) {
    return place.error(node, fmt::format("{}: expected one value, not a list", name));
  }
  return setting->apply(model, *values);
}

// `NAME: DIR`, or `NAME:` with settings below it.
Result<ModelConfig> read_model(const Place& place, const YAML::Node& key, const YAML::Node& node) {
  ModelConfig model;
  model.name = key.as<std::string>("");
  if (model.name.empty()) return place.error(key, "models: a name is missing");
  if (node.IsScalar()) {
    model.path = resolve(place, node.Scalar(), "DIR");
    return model;
  }
  if (!node.IsMap()) {
    return place.error(key, fmt::format("models: {}: expected a folder or settings", model.name));
  }
  for (const auto& entry : node) {
    if (entry.second.IsNull()) continue;
    auto read = read_model_setting(place, entry.first, entry.second, model);
    if (!read) return read.error();
  }
  if (model.path.empty()) {
    return place.error(key, fmt::format("models: {}: the key \"path\" is missing", model.name));
  }
  return model;
}

Result<void> read_models(const Place& place, const YAML::Node& node, FileValues& file) {
  if (!node.IsMap()) return place.error(node, "models: expected NAME: DIR lines below it");
  for (const auto& entry : node) {
    auto model = read_model(place, entry.first, entry.second);
    if (!model) return model.error();
    file.models.push_back(*std::move(model));
  }
  return {};
}

Result<void> read_setting(const Place& place, const YAML::Node& key, const YAML::Node& node,
                          FileValues& file) {
  const auto table = settings();
  const auto name = key.as<std::string>("");
  const auto setting = std::ranges::find(table, name, &Setting::key);
  if (setting == table.end()) return unknown_key(place, key, keys_of(table));
  if (file.values.contains(name) || (name == "models" && !file.models.empty())) {
    return place.error(key, fmt::format("{}: given twice", name));
  }
  if (node.IsNull()) return {};
  if (name == "models") return read_models(place, node, file);
  auto values = texts_of(place, node, name, setting->value);
  if (!values) return values.error();
  if (setting->arity != Arity::Many && (values->size() != 1 || node.IsMap())) {
    return place.error(node, fmt::format("{}: expected one value", name));
  }
  if (node.IsMap() && setting->value.find('=') == std::string_view::npos) {
    return place.error(node, fmt::format("{}: expected a list, not \"key: value\" lines", name));
  }
  file.values[name] = *std::move(values);
  return {};
}

}  // namespace

Result<FileValues> parse_yaml(const std::string& text, const std::filesystem::path& path) {
  const Place place{path};
  try {
    const YAML::Node root = YAML::Load(text);
    FileValues file;
    if (root.IsNull()) return file;
    if (!root.IsMap()) return place.error(root, "expected \"key: value\" lines");
    for (const auto& entry : root) {
      auto read = read_setting(place, entry.first, entry.second, file);
      if (!read) return read.error();
    }
    return file;
  } catch (const YAML::Exception& e) {
    return invalid_value(
        "", fmt::format("{}:{}: not YAML: {}", path.filename().string(), e.mark.line + 1, e.msg),
        "invalid_config");
  }
}

Result<FileValues> read_yaml(const std::filesystem::path& path) {
  auto text = read_file(path, kFileBytesMax);
  if (!text) return text.error();
  return parse_yaml(*text, path);
}

}  // namespace limner::config
