// A diffusers folder: model_index.json names the pipeline's class and its components.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"
#include "diffusion/schedulers/factory.hpp"

namespace limner::pipelines {

class ModelFolder {
 public:
  static Result<ModelFolder> open(const std::filesystem::path& dir);

  const std::filesystem::path& dir() const { return dir_; }
  std::filesystem::path component(std::string_view name) const { return dir_ / name; }
  const std::string& class_name() const { return class_name_; }
  // Is the component there, and not [null, null]?
  bool has(std::string_view component) const;
  // A plain value of model_index.json such as force_zeros_for_empty_prompt.
  bool flag(std::string_view key, bool fallback) const;
  Result<schedulers::SchedulerConfig> scheduler_config() const;

  // Defaults that a model recorded for itself in limner.json; absent ones keep what is in `traits`.
  // Errors: a key that is not known, a value out of range.
  Result<void> apply_own_defaults(ModelTraits& traits) const;

 private:
  std::filesystem::path dir_;
  json::object index_;
  std::string class_name_;
};

}  // namespace limner::pipelines
