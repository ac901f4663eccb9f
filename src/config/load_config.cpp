#include "config/load_config.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "config/command_line.hpp"
#include "config/nearest.hpp"
#include "config/parse_value.hpp"
#include "config/settings.hpp"
#include "config/yaml_file.hpp"

namespace limner::config {
namespace {

std::string get(const Environment& environment, const std::string& name) {
  const auto it = environment.find(name);
  return it == environment.end() ? std::string() : it->second;
}

// A variable holds several values separated by commas.
RawValues split(const Setting& setting, const std::string& name, const std::string& text) {
  if (setting.arity != Arity::Many) return {{.text = text, .where = name}};
  RawValues values;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (end > begin) values.push_back({.text = text.substr(begin, end - begin), .where = name});
    begin = end + 1;
  }
  // Nothing but commas is no list, which the setting says in its own words.
  if (values.empty()) values.push_back({.text = text, .where = name});
  return values;
}

// An empty variable counts as absent: compose files and units set them so.
std::map<std::string, RawValues> environment_values(const Environment& environment) {
  std::map<std::string, RawValues> values;
  for (const auto& setting : settings()) {
    const auto name = setting.environment_name();
    const auto text = get(environment, name);
    if (!text.empty()) values[std::string(setting.key)] = split(setting, name, text);
  }
  return values;
}

std::vector<std::string> unknown_variables(const Environment& environment) {
  std::vector<std::string> names = {"LIMNER_CONFIG"};
  for (const auto& setting : settings()) names.push_back(setting.environment_name());
  const std::vector<std::string_view> views(names.begin(), names.end());
  std::vector<std::string> warnings;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("LIMNER_") || std::ranges::find(names, name) != names.end()) continue;
    const auto guess = nearest(name, views);
    warnings.push_back(fmt::format("the environment variable {} is not known{}", name,
                                   guess.empty() ? "" : fmt::format("; did you mean {}?", guess)));
  }
  return warnings;
}

// XDG base directories, with a temporary folder where there is no home.
std::filesystem::path user_folder(const Environment& environment, const std::string& xdg,
                                  const char* below_home) {
  if (const auto dir = get(environment, xdg); !dir.empty()) {
    return std::filesystem::path(dir) / "limner";
  }
  if (const auto home = get(environment, "HOME"); !home.empty()) {
    return std::filesystem::path(home) / below_home / "limner";
  }
  return std::filesystem::temp_directory_path() / "limner";
}

void fill_folders(const Environment& environment, Config& config) {
  if (config.cache_dir.empty()) {
    config.cache_dir = user_folder(environment, "XDG_CACHE_HOME", ".cache");
  }
  if (config.images_dir.empty()) config.images_dir = config.cache_dir / "images";
  if (config.keys_db.empty()) {
    config.keys_db = user_folder(environment, "XDG_DATA_HOME", ".local/share") / "keys.db";
  }
}

Result<void> check_together(const Config& config) {
  if (!config.paint.mask.empty() && config.paint.init_image.empty()) {
    return invalid_value("", "--mask: needs --init-image, the picture to repaint",
                         "invalid_config");
  }
  if (config.paint.strength && config.paint.init_image.empty()) {
    return invalid_value("", "--strength: needs --init-image", "invalid_config");
  }
  for (const auto& model : config.models) {
    if (!model.policy.default_resolution || model.policy.allowed_resolutions.empty()) continue;
    if (std::ranges::find(model.policy.allowed_resolutions, *model.policy.default_resolution) ==
        model.policy.allowed_resolutions.end()) {
      return invalid_value("",
                           fmt::format("models: {}: default_resolution {} is not among "
                                       "allowed_resolutions",
                                       model.name, to_string(*model.policy.default_resolution)),
                           "invalid_config");
    }
  }
  return {};
}

}  // namespace

Environment read_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == text.npos) continue;
    const auto name = text.substr(0, equals);
    if (!name.starts_with("LIMNER_") && name != "HOME" && !name.starts_with("XDG_")) continue;
    environment.emplace(name, text.substr(equals + 1));
  }
  return environment;
}

Result<Config> load_config(int argc, const char* const* argv, const Environment& environment) {
  auto line = parse_command_line(argc, argv);
  if (!line) return line.error();
  Config config;
  config.command = line->command;
  config.help = line->help;
  const unsigned command = command_bit(line->command);
  if (command == 0) return config;
  config.paint.prompt = line->prompt;
  config.keys.name = line->key_name;
  config.warnings = unknown_variables(environment);

  FileValues file;
  auto config_file = line->config_file;
  if (config_file.empty()) config_file = get(environment, "LIMNER_CONFIG");
  if (!config_file.empty()) {
    auto read = read_yaml(config_file);
    if (!read) return read.error();
    file = *std::move(read);
  }
  config.models = file.models;
  const auto from_environment = environment_values(environment);
  using Source = const std::map<std::string, RawValues>*;
  const std::array<Source, 3> sources = {&line->values, &from_environment, &file.values};
  for (const auto& setting : settings()) {
    if ((setting.commands & command) == 0) continue;
    bool is_set = false;
    for (const auto* source : sources) {
      const auto it = source->find(std::string(setting.key));
      if (it == source->end() || it->second.empty()) continue;
      // What a stronger source overrides must be right too: one day it will count.
      std::optional<Config> overridden;
      if (is_set) overridden = config;
      auto applied = setting.apply(overridden ? *overridden : config, it->second);
      if (!applied) return applied.error();
      is_set = true;
    }
  }
  fill_folders(environment, config);
  auto checked = check_together(config);
  if (!checked) return checked.error();
  return config;
}

}  // namespace limner::config
