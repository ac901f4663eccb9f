#include "app/model_folders.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file_signature.hpp"
#include "diffusion/pipelines/model_files.hpp"
#include "weights/safetensors.hpp"

namespace limner::app {
namespace {

constexpr std::string_view kEmbeddedModel = "emoji-256";
constexpr std::array kBundledBelow = {"../models", "../share/limner/models"};

std::filesystem::path program_folder() {
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::filesystem::current_path() : program.parent_path();
}

// Calls visit(file, size in bytes) for `path` itself, or for the files below it.
template <typename Visit>
void for_each_file(const std::filesystem::path& path, Visit visit) {
  const auto add = [&](const std::filesystem::path& file) {
    std::error_code unreadable;
    const auto size = std::filesystem::file_size(file, unreadable);
    if (!unreadable) visit(file, size);
  };
  std::error_code failed;
  if (std::filesystem::is_regular_file(path, failed)) return add(path);
  std::filesystem::recursive_directory_iterator entries(path, failed);
  for (const auto end = std::filesystem::recursive_directory_iterator(); !failed && entries != end;
       entries.increment(failed)) {
    std::error_code unreadable;
    if (entries->is_regular_file(unreadable)) add(entries->path());
  }
}

// `path` itself or the files below it, in order, as "name size time" lines.
std::string describe_files(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  for_each_file(path, [&](const std::filesystem::path& file, std::size_t size) {
    std::error_code failed;
    const auto time = std::filesystem::last_write_time(file, failed).time_since_epoch().count();
    lines.push_back(fmt::format("{} {} {}\n", file.string(), size, time));
  });
  std::ranges::sort(lines);
  return fmt::format("{}\n{}", path.string(), fmt::join(lines, ""));
}

// What a file takes once compiled. Where it cannot be asked, as an IR's .bin, its numbers have two
// bytes each and count as matrices.
double packed_file_bytes(const std::filesystem::path& file, std::size_t size_bytes,
                         const PackedBytes& packed) {
  const double guess = packed.matrix * static_cast<double>(size_bytes) / 2;
  if (file.extension() == ".bin" || file.extension() == ".xml") return guess;
  const auto header = weights::open_safetensors(file);
  if (!header) return guess;  // loading it will say what is wrong
  double bytes = 0;
  for (const auto& [name, tensor] : header->tensors) {
    bytes += static_cast<double>(weights::element_count(tensor.shape)) *
             (tensor.shape.size() == 2 ? packed.matrix : packed.other);
  }
  return bytes;
}

// What the file is instead of safetensors, which begin with a length and a JSON object.
std::optional<std::string> foreign_weights(const std::filesystem::path& path) {
  constexpr std::size_t kLengthBytes = 8;
  std::array<char, 64> begin{};
  std::ifstream file(path, std::ios::binary);
  file.read(begin.data(), begin.size());
  const std::string_view bytes(begin.data(), static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kLengthBytes && bytes[kLengthBytes] == '{') return std::nullopt;
  return foreign_content(bytes);
}

}  // namespace

std::optional<std::filesystem::path> bundled_folder(std::string_view name,
                                                    std::string_view marker) {
  for (const auto* below : kBundledBelow) {
    const auto path = (program_folder() / below / name).lexically_normal();
    std::error_code failed;
    if (std::filesystem::exists(path / marker, failed)) return path;
  }
  return std::nullopt;
}

Result<std::vector<config::ModelConfig>> models_to_serve(const config::Config& config) {
  if (!config.models.empty()) return config.models;
  if (const auto path = bundled_folder(kEmbeddedModel, "model_index.json")) {
    return std::vector{
        config::ModelConfig{.name = std::string(kEmbeddedModel), .path = *path, .policy = {}}};
  }
  const auto searched = [](std::string_view below) {
    return (program_folder() / below).lexically_normal().string();
  };
  return invalid_value("",
                       fmt::format("no model: the embedded one is neither in {} nor in {}; name "
                                   "one with --model NAME=DIR",
                                   searched(kBundledBelow[0]), searched(kBundledBelow[1])),
                       "invalid_config");
}

Result<void> check_model_paths(const std::vector<config::ModelConfig>& models) {
  for (const auto& model : models) {
    const auto& path = model.path;
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
    if (kind == std::filesystem::file_type::directory) continue;
    if (kind != std::filesystem::file_type::regular) {
      return refuse("expected a diffusers folder or a safetensors checkpoint");
    }
    if (const auto what = foreign_weights(path)) return refuse(*what);
  }
  return {};
}

pipelines::ModelParts parts_of(const config::ModelExtras& extras) {
  return {.vae = extras.vae, .text_encoders = extras.text_encoders, .configs = extras.configs};
}

ModelWeights model_weights(const config::ModelConfig& model) {
  const auto found = pipelines::find_model_files(model.path, parts_of(model.extras));
  ModelWeights weights{.format = pipelines::to_string(found.format)};
  for (const auto& file : found.files) {
    std::error_code unreadable;
    const auto size = std::filesystem::file_size(file, unreadable);
    if (!unreadable) weights.size_bytes += size;
  }
  return weights;
}

std::string model_fingerprint(const config::ModelConfig& model) {
  const auto& extras = model.extras;
  std::string text = describe_files(model.path) + describe_files(extras.vae) +
                     describe_files(extras.configs) + describe_files(extras.lora_dir);
  for (const auto& [name, dir] : extras.text_encoders) text += name + "\n" + describe_files(dir);
  return text;
}

std::size_t estimate_model_bytes(const config::ModelConfig& model, const PackedBytes& packed) {
  double bytes = 0;
  for (const auto& file : pipelines::find_model_files(model.path, parts_of(model.extras)).files) {
    std::error_code unreadable;
    const auto size = std::filesystem::file_size(file, unreadable);
    if (!unreadable) bytes += static_cast<double>(size) + packed_file_bytes(file, size, packed);
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace limner::app
