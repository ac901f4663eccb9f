// LoRA files: low-rank additions to the weights of a model, W' = W + strength · alpha / rank · up ·
// down; with DoRA W' then gets its rows' or columns' lengths anew. Keys as kohya's scripts,
// LyCORIS, diffusers and PEFT write them, for Stable Diffusion, SDXL, SD3 and FLUX.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
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

// A network of the model that LoRAs may apply to: "unet" or "transformer", "text_encoder", …
struct LoraBase {
  std::string component;
  std::shared_ptr<WeightSource> weights;  // shared: the same source that graphs are built from
};

// DoRA: how long each row of the sum is to be, or each column over all rows and kernel places.
struct LoraMagnitude {
  enum class Axis : std::uint8_t { Rows, Columns };
  Axis axis = Axis::Rows;
  std::vector<float> lengths;
};

// One addition to one weight. down [rank, …] and up [rows, rank]: of a convolution, with its
// kernel.
struct LoraDelta {
  TensorView down;
  TensorView up;
  float scale = 1.0f;  // alpha / rank, or alpha / √rank
  std::optional<LoraMagnitude> magnitude = std::nullopt;
};

struct LoraFile {
  SafetensorsHeader tensors;
  json::object adapter_config = {};  // PEFT's, empty where there is none
  std::string fingerprint = {};
};

// With the adapter_config.json beside it that PEFT writes.
Result<LoraFile> open_lora_file(const std::filesystem::path& path);

// A tensor of the file that had no effect, and why.
struct LoraLeftover {
  std::string name;
  std::string reason;
};

class Lora {
 public:
  // By the name of the weight that they are added to.
  using Deltas = std::map<std::string, std::vector<LoraDelta>, std::less<>>;

  // `where` names the file in messages. Errors: nothing in it fits the model, or it holds tensors
  // of methods beyond LoRA and DoRA.
  static Result<Lora> read(const LoraFile& file, std::string_view where,
                           std::span<const LoraBase> model);

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
