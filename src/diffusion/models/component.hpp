// What every network of a pipeline is made of: its config, its weights and its compiled shapes.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/lru_cache.hpp"
#include "base/result.hpp"
#include "nn/graph.hpp"
#include "nn/weight_scope.hpp"
#include "runtime/runtime.hpp"
#include "weights/weight_source.hpp"

namespace limner::models {

// Config and weights of one component, from a folder, a single-file checkpoint or anything else
// that can name its tensors as diffusers does.
struct Component {
  std::string name;   // "unet", for messages
  std::string where;  // the config's file name, for messages
  json::object config;
  std::shared_ptr<weights::WeightSource> weights;  // shared: adapters wrap the same source
  // Tensors that belong to another network of the same file; not reported as unused.
  std::vector<std::string> foreign_prefixes = {};
  // The network as an exporter wrote it, openvino_model.xml: taken in place of a graph of our own,
  // and `weights` then names no tensors.
  std::filesystem::path ir = {};
  // Of its arithmetic, where the runtime's own is Auto; absent: f32.
  std::optional<runtime::Precision> precision = std::nullopt;

  // `dir`/config.json and, beside it, the weights or the IR. Where both are there the weights are
  // taken, unless `prefers_ir`.
  static Result<Component> open(const std::filesystem::path& dir, std::string name,
                                bool prefers_ir = false);
};

// An exported network in `dir`, both its files. An error where it is not whole.
Result<std::vector<std::filesystem::path>> ir_files(const std::filesystem::path& dir);

struct NetworkOptions {
  nn::WeightFormat weight_format = nn::WeightFormat::Auto;
  // Compiled shapes kept; each holds its own repacked copy of the weights.
  std::size_t shapes_max = 4;
};

// Compiled graphs of one network, by shape; the least recently used goes first.
class CompiledShapes {
 public:
  CompiledShapes(runtime::Runtime& runtime, const Component& component,
                 const NetworkOptions& options);

  using Write = std::function<void(nn::Graph&, const nn::WeightScope&)>;
  // `shape` names the graph among those of this network: "2x4x64x64". Compiles on a miss. The
  // pointer is good until the next call.
  Result<runtime::CompiledNetwork*> get(const std::string& shape, const Write& write);
  // Component::ir; empty where graphs are written from weights.
  const std::filesystem::path& ir() const { return ir_; }

 private:
  Result<runtime::Network> trace(const Write& write);
  void report_unused(std::vector<std::string> names) const;

  runtime::Runtime* runtime_;
  std::string name_;
  std::string cache_key_;
  std::vector<std::string> foreign_prefixes_;
  std::filesystem::path ir_;
  std::shared_ptr<weights::WeightSource> weights_;
  NetworkOptions options_;
  std::optional<runtime::Precision> precision_;
  bool is_known_ = false;  // traced once: its weights were checked and what is unused reported
  LruCache<std::unique_ptr<runtime::CompiledNetwork>> networks_;
};

}  // namespace limner::models
