// Which files of a diffusers folder are its weights. Downloads hold more than one copy of them: two
// formats, two precisions, pickles, a safety checker.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "diffusion/pipelines/model_parts.hpp"

namespace limner::pipelines {

enum class FileFormat { Safetensors, OpenVinoIr };

std::string_view to_string(FileFormat format);  // "safetensors", "openvino"

struct ModelFiles {
  FileFormat format = FileFormat::Safetensors;
  bool has_both_formats = false;             // each of them whole
  std::vector<std::filesystem::path> files;  // the weights that loading opens
};

// Of the folder with that model_index.json: its safetensors where they are whole, as LoRAs and
// --weights apply to them; else its OpenVINO IR where that is whole; else what there is of either.
ModelFiles find_model_files(const std::filesystem::path& folder, const json::object& index,
                            const ModelParts& parts);

// The same of a folder or a single file, from its name alone.
ModelFiles find_model_files(const std::filesystem::path& path, const ModelParts& parts);

// Is there a component of that name, and not [null, null]?
bool names_component(const json::object& index, std::string_view component);

}  // namespace limner::pipelines
