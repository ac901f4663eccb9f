// The configuration file: YAML, every key checked, errors with the line.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/raw_value.hpp"

namespace limner::config {

struct FileValues {
  std::map<std::string, RawValues> values;  // by key; `models` is apart
  std::vector<ModelConfig> models;
};

// `text` of the file at `path`, whose name is used in messages and whose folder relative paths
// start from.
Result<FileValues> parse_yaml(const std::string& text, const std::filesystem::path& path);

Result<FileValues> read_yaml(const std::filesystem::path& path);

}  // namespace limner::config
