// Named tensors of one network under the names its diffusers module has, wherever they come from:
// a file, shards, a single-file checkpoint read through a name map, weights with LoRA added.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "weights/file_watch.hpp"
#include "weights/safetensors.hpp"

namespace limner::weights {

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // Null when there is none. The pointer lives as long as the source; the bytes as long as
  // TensorView::owner. A source may compute a tensor at its first find() (LoRA): one thread only.
  virtual const TensorView* find(std::string_view name) = 0;
  virtual std::vector<std::string> names() const = 0;
  // Equal fingerprints mean equal tensors: names, sizes and times of the files, adapters and their
  // scales. Part of the key under which compiled graphs are cached.
  virtual std::string fingerprint() const = 0;
  // All bytes together, for memory estimates.
  virtual std::size_t size_bytes() const = 0;
  // Unavailable "model_files_changed" when its files are not what they were: what was built of them
  // may be wrong. Any thread.
  virtual Result<void> check_files() const { return {}; }
};

// A map of tensors that is already there.
class MapWeightSource final : public WeightSource {
 public:
  MapWeightSource(TensorMap tensors, std::string fingerprint);
  const TensorView* find(std::string_view name) override;
  std::vector<std::string> names() const override;
  std::string fingerprint() const override { return fingerprint_; }
  std::size_t size_bytes() const override;
  Result<void> check_files() const override { return files_.check(); }

 private:
  TensorMap tensors_;
  std::string fingerprint_;
  FileWatch files_;
};

// The weights of a component folder as diffusers and transformers write it:
// diffusion_pytorch_model or model, .safetensors or sharded with .safetensors.index.json, also the
// fp16 variant. Errors name the files that were looked for.
Result<std::unique_ptr<WeightSource>> open_component(const std::filesystem::path& dir);

// path, size and time of a file, for fingerprints.
std::string file_fingerprint(const std::filesystem::path& path);

}  // namespace limner::weights
