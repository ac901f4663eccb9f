#include "app/model_folders.hpp"

#include <fmt/format.h>

namespace limner::app {
namespace {

constexpr std::string_view kEmbeddedModel = "emoji-256";

std::filesystem::path program_folder() {
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::filesystem::current_path() : program.parent_path();
}

}  // namespace

Result<std::vector<config::ModelConfig>> models_to_serve(const config::Config& config) {
  if (!config.models.empty()) return config.models;
  // In the source tree the program lies in build/; installed, in bin/ beside share/.
  const auto folder = program_folder();
  for (const auto* below : {"../models", "../share/limner/models"}) {
    const auto path = (folder / below / kEmbeddedModel).lexically_normal();
    std::error_code failed;
    if (!std::filesystem::exists(path / "model_index.json", failed)) continue;
    return std::vector{
        config::ModelConfig{.name = std::string(kEmbeddedModel), .path = path, .policy = {}}};
  }
  return invalid_value(
      "",
      fmt::format("no model: the embedded one is neither in {} nor in {}; name one "
                  "with --model NAME=DIR",
                  (folder / "../models").lexically_normal().string(),
                  (folder / "../share/limner/models").lexically_normal().string()),
      "invalid_config");
}

Result<void> check_model_paths(const std::vector<config::ModelConfig>& models,
                               const SpecialLoader& special) {
  for (const auto& model : models) {
    const auto& path = model.path;
    if (special && special(model.name, path.string())) continue;
    std::error_code failed;
    const auto kind = std::filesystem::status(path, failed).type();
    const auto refuse = [&](std::string_view what) {
      return invalid_value("", fmt::format("--model {}={}: {}", model.name, path.string(), what),
                           "invalid_config");
    };
    if (kind == std::filesystem::file_type::not_found) {
      return refuse("there is no such file or folder");
    }
    if (kind == std::filesystem::file_type::directory &&
        !std::filesystem::exists(path / "model_index.json", failed)) {
      return refuse("no model_index.json in it; expected a diffusers folder");
    }
    if (kind != std::filesystem::file_type::directory && path.extension() != ".safetensors") {
      return refuse("expected a diffusers folder or a .safetensors checkpoint");
    }
  }
  return {};
}

std::size_t estimate_model_bytes(const std::filesystem::path& path) {
  std::error_code failed;
  std::size_t bytes = 0;
  if (std::filesystem::is_regular_file(path, failed))
    return std::filesystem::file_size(path, failed);
  std::filesystem::recursive_directory_iterator entries(path, failed);
  for (const auto end = std::filesystem::recursive_directory_iterator(); !failed && entries != end;
       entries.increment(failed)) {
    const auto extension = entries->path().extension();
    if (extension != ".safetensors" && extension != ".bin") continue;
    std::error_code unreadable;
    const auto size = entries->file_size(unreadable);
    if (!unreadable) bytes += size;
  }
  return bytes;
}

}  // namespace limner::app
