// Text encoders outside diffusers' folders: where each family's checkpoints keep theirs, and files
// that hold one alone (ComfyUI's clip_l.safetensors, t5xxl_fp16.safetensors).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "weights/checkpoint.hpp"
#include "weights/checkpoint_names.hpp"
#include "weights/safetensors.hpp"

namespace limner::weights {

enum class TextStyle : std::uint8_t { Clip, OpenClip, T5 };  // whose names the tensors have

struct TextSource {
  CheckpointKind kind;
  std::string_view component;
  std::string_view prefix;
  TextStyle style;
  std::string_view activation;
  bool has_projection = false;
};

std::span<const TextSource> text_sources();

PlaceTensor text_names(const TextSource& source, const NetworkTensors& network);
Result<json::object> text_config(const TextSource& source, const TensorMap& tensors);

// The encoder in a file of its own, under any prefix and any of the names above. Errors say what
// the file is instead of the family's `component`.
Result<CheckpointComponent> open_text_encoder_file(const std::filesystem::path& path,
                                                   CheckpointKind kind, std::string_view component);

}  // namespace limner::weights
