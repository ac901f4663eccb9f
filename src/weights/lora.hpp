// LoRA files: low-rank additions to the weights of a model, W' = W + strength · alpha / rank · up ·
// down. Keys as kohya's scripts, diffusers and PEFT write them, for Stable Diffusion, SDXL, SD3 and
// FLUX.1.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "weights/weight_source.hpp"

namespace limner::weights {

// A network of the model that LoRAs may apply to: "unet" or "transformer", "text_encoder", …
struct LoraBase {
  std::string component;
  std::shared_ptr<WeightSource> weights;  // shared: the same source that graphs are built from
};

// One addition to one weight. down [rank, …] and up [rows, rank]: of a convolution, with its
// kernel.
struct LoraDelta {
  TensorView down;
  TensorView up;
  float scale = 1.0f;  // alpha / rank
};

// A tensor of the file that had no effect, and why.
struct LoraLeftover {
  std::string name;
  std::string reason;
};

class Lora {
 public:
  // By the name of the weight that they are added to.
  using Deltas = std::map<std::string, std::vector<LoraDelta>, std::less<>>;

  // An error where nothing in the file fits the model.
  static Result<Lora> open(const std::filesystem::path& path, std::span<const LoraBase> model);
  static Result<Lora> read(const SafetensorsHeader& file, std::string_view where,
                           std::string fingerprint, std::span<const LoraBase> model);

  // Null where it leaves the component alone.
  const Deltas* find(std::string_view component) const;
  const std::vector<LoraLeftover>& leftovers() const { return leftovers_; }
  const std::string& fingerprint() const { return fingerprint_; }
  Result<void> check_files() const { return files_.check(); }

 private:
  std::map<std::string, Deltas, std::less<>> deltas_;
  std::vector<LoraLeftover> leftovers_;
  std::string fingerprint_;
  TensorMap tensors_;  // all of the file, which stays mapped for the watch
  FileWatch files_;
};

struct AppliedLora {
  std::shared_ptr<const Lora> lora;  // shared and immutable: one file serves many sets
  float strength = 1.0f;
};

// `base` with the additions of `loras` to `component`, each computed in float32 at its first
// find() and kept. `base` itself where they do not touch the component, so that whatever is cached
// for it stays good.
std::shared_ptr<WeightSource> with_loras(std::string_view component,
                                         std::shared_ptr<WeightSource> base,
                                         std::vector<AppliedLora> loras);

}  // namespace limner::weights
