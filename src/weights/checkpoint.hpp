// A single-file checkpoint: a whole pipeline in one .safetensors file under the names of the
// original code, read as the components that a diffusers folder would hold.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "weights/weight_source.hpp"

namespace limner::weights {

// Raise when a mapping changes: fingerprints, and with them cached graphs, then differ.
constexpr int kLayoutRevision = 2;

enum class CheckpointKind { StableDiffusion1, StableDiffusion2, SDXL, SDXLRefiner, SD3, Flux };

std::string_view to_string(CheckpointKind kind);  // "Stable Diffusion 1"

struct CheckpointComponent {
  std::string name;     // "unet", "transformer", "vae", "text_encoder", "text_encoder_2", …
  json::object config;  // as its config.json would be
  std::shared_ptr<WeightSource> weights;  // shared: adapters wrap the same source
};

struct Checkpoint {
  CheckpointKind kind = CheckpointKind::StableDiffusion1;
  json::object model_index;  // _class_name and the pipeline's flags
  json::object scheduler;    // scheduler_config.json
  std::vector<CheckpointComponent> components;
  std::vector<std::string> missing;  // components that the pipeline needs and the file lacks
  std::vector<std::string> unknown;  // tensors that have no place

  const CheckpointComponent* find(std::string_view name) const;
};

struct CheckpointOptions {
  // A diffusers folder whose `NAME/config.json` and `scheduler/scheduler_config.json` are taken in
  // place of deduced ones: heads, for one, cannot be seen in any shape.
  std::optional<std::filesystem::path> config_dir = std::nullopt;
};

// Recognises the kind from the names in the file. What is no checkpoint (a LoRA, a ControlNet, one
// component of a diffusers folder) is refused by name.
Result<Checkpoint> open_checkpoint(const std::filesystem::path& path,
                                   const CheckpointOptions& options = {});

// The same from tensors that are already there; `where` names them in messages.
Result<Checkpoint> read_checkpoint(SafetensorsHeader file, std::string_view where,
                                   std::string_view fingerprint,
                                   const CheckpointOptions& options = {});

// The autoencoder of a file of its own (`vae-ft-mse-840000.safetensors`, FLUX's `ae.safetensors`),
// under the original names or diffusers'.
Result<CheckpointComponent> open_vae_file(const std::filesystem::path& path, CheckpointKind kind);

// An error that names each missing component which is not among `supplied`, with the flag that
// supplies it: `--vae PATH`, `--text-encoder text_encoder_2=PATH`.
Result<void> check_complete(const Checkpoint& checkpoint, std::span<const std::string> supplied,
                            std::string_view where);

}  // namespace limner::weights
