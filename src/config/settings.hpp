// The one table of settings. Flags, environment variables, YAML keys, help and docs/config.md all
// come from it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/raw_value.hpp"

namespace limner::config {

// Which subcommands take a setting, as bits.
enum CommandSet : unsigned { kServe = 1, kGenerate = 2, kModels = 4, kBench = 8, kKeys = 16 };

enum class Arity { Switch, One, Many };

struct Setting {
  std::string_view key;    // in the YAML file: "queue_size"
  std::string_view flag;   // "--queue-size", or "-o,--output"
  std::string_view value;  // how help names the value; empty for a switch
  Arity arity;
  unsigned commands;  // of CommandSet
  std::string_view group;
  std::string_view help;
  Result<void> (*apply)(Config& config, const RawValues& values);

  // "--queue-size" → "LIMNER_QUEUE_SIZE".
  std::string environment_name() const;
  std::string long_flag() const;
};

std::span<const Setting> settings();

// The settings of one model in the file, below `models: NAME:`.
struct ModelSetting {
  std::string_view key;
  std::string_view value;
  std::string_view help;
  Result<void> (*apply)(ModelConfig& model, const RawValues& values);
};

std::span<const ModelSetting> model_settings();

}  // namespace limner::config
