#include "diffusion/pipelines/model_files.hpp"

#include <array>
#include <string>
#include <utility>

#include "diffusion/models/component.hpp"
#include "diffusion/models/config_reader.hpp"
#include "weights/weight_source.hpp"

namespace limner::pipelines {
namespace {

namespace fs = std::filesystem;

using Paths = std::vector<fs::path>;

constexpr std::array kNetworks = {"unet",         "transformer",    "vae",
                                  "text_encoder", "text_encoder_2", "text_encoder_3"};

// What one component is read from in each format; empty where it is not whole in that one.
struct ComponentFiles {
  Paths safetensors;
  Paths ir;
};

Paths or_none(Result<Paths> files) {
  return files ? *std::move(files) : Paths{};
}

Paths ir_files(const fs::path& dir) {
  return or_none(models::ir_files(dir));
}

Paths safetensors_files(const fs::path& dir) {
  return or_none(weights::component_files(dir));
}

ComponentFiles files_of(const fs::path& folder, const std::string& name) {
  ComponentFiles files;
  files.safetensors = safetensors_files(folder / name);
  if (name != "vae") {
    files.ir = ir_files(folder / name);
    return files;
  }
  const Paths decoder = ir_files(folder / "vae_decoder");
  const Paths encoder = ir_files(folder / "vae_encoder");
  if (decoder.empty() || encoder.empty()) return files;
  files.ir = decoder;
  files.ir.insert(files.ir.end(), encoder.begin(), encoder.end());
  return files;
}

Paths files_at(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) return {path};
  const Paths safetensors = safetensors_files(path);
  return safetensors.empty() ? ir_files(path) : safetensors;
}

void append(const Paths& more, Paths& files) {
  files.insert(files.end(), more.begin(), more.end());
}

void append_supplied(const ModelParts& parts, Paths& files) {
  if (!parts.vae.empty()) append(files_at(parts.vae), files);
  for (const auto& [name, path] : parts.text_encoders) append(files_at(path), files);
}

}  // namespace

std::string_view to_string(FileFormat format) {
  switch (format) {
    case FileFormat::Safetensors:
      return "safetensors";
    case FileFormat::OpenVinoIr:
      return "openvino";
  }
  return "";
}

bool names_component(const json::object& index, std::string_view component) {
  const auto* entry = index.if_contains(component);
  return entry && entry->is_array() && entry->get_array().size() == 2 &&
         entry->get_array()[1].is_string();
}

ModelFiles find_model_files(const fs::path& folder, const json::object& index,
                            const ModelParts& parts) {
  std::vector<ComponentFiles> components;
  bool has_safetensors = true;
  bool has_ir = true;
  for (const std::string name : kNetworks) {
    const bool is_supplied =
        name == "vae" ? !parts.vae.empty() : parts.text_encoders.contains(name);
    if (is_supplied || (name != "vae" && !names_component(index, name))) continue;
    components.push_back(files_of(folder, name));
    has_safetensors = has_safetensors && !components.back().safetensors.empty();
    has_ir = has_ir && !components.back().ir.empty();
  }
  ModelFiles model;
  model.has_both_formats = has_safetensors && has_ir && !components.empty();
  const bool prefers_ir = has_ir && !has_safetensors;
  for (const auto& component : components) {
    const bool takes_ir = !component.ir.empty() && (prefers_ir || component.safetensors.empty());
    if (takes_ir) model.format = FileFormat::OpenVinoIr;
    append(takes_ir ? component.ir : component.safetensors, model.files);
  }
  append_supplied(parts, model.files);
  return model;
}

ModelFiles find_model_files(const fs::path& path, const ModelParts& parts) {
  std::error_code failed;
  if (fs::is_directory(path, failed)) {
    const auto index = models::read_config(path / "model_index.json");
    return index ? find_model_files(path, *index, parts) : ModelFiles{};
  }
  ModelFiles model{.files = {path}};
  append_supplied(parts, model.files);
  return model;
}

}  // namespace limner::pipelines
