#include "diffusion/models/component.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file_signature.hpp"
#include "base/log.hpp"
#include "diffusion/models/config_reader.hpp"

namespace limner::models {
namespace {

// Raise when a network's graph changes for the same config and weights: cached graphs of older
// builds are then not found.
constexpr int kGraphRevision = 6;

constexpr std::string_view kIrFile = "openvino_model.xml";

// An IR's .bin, whose tensors only the runtime knows.
class IrWeights final : public weights::WeightSource {
 public:
  explicit IrWeights(const std::filesystem::path& xml)
      : xml_(xml),
        bin_(std::filesystem::path(xml).replace_extension(".bin")),
        fingerprint_(describe()) {}

  const weights::TensorView* find(std::string_view /*name*/) override { return nullptr; }
  std::vector<std::string> names() const override { return {}; }
  std::string fingerprint() const override { return fingerprint_; }
  // Each shape is built from the files as they are then: also a file that another was renamed to is
  // a change.
  Result<void> check_files() const override {
    if (describe() == fingerprint_) return {};
    return Error{.kind = ErrorKind::Unavailable,
                 .message = "model: its files were replaced while it was in memory",
                 .param = "model",
                 .code = "model_files_changed",
                 .retry_after = std::chrono::seconds{1},
                 .detail = fmt::format("{}: send SIGHUP after files were replaced", xml_.string())};
  }
  std::size_t size_bytes() const override {
    std::error_code failed;
    const auto size = std::filesystem::file_size(bin_, failed);
    return failed ? 0 : size;
  }

 private:
  std::string describe() const {
    return weights::file_fingerprint(xml_) + " " + weights::file_fingerprint(bin_);
  }

  std::filesystem::path xml_;
  std::filesystem::path bin_;
  std::string fingerprint_;
};

// What a clone without git-lfs leaves is told here, where the runtime would only say "cannot read".
Result<void> check_ir_file(const std::filesystem::path& file) {
  constexpr std::size_t kBegin = 64;
  std::string begin(kBegin, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(stream.gcount()));
  if (file.extension() == ".xml" && begin.starts_with("<?xml")) return {};
  return check_content(begin, file.string());
}

}  // namespace

Result<std::vector<std::filesystem::path>> ir_files(const std::filesystem::path& dir) {
  const auto xml = dir / kIrFile;
  const auto bin = std::filesystem::path(xml).replace_extension(".bin");
  std::error_code failed;
  if (std::filesystem::exists(xml, failed) && std::filesystem::exists(bin, failed)) {
    return std::vector{xml, bin};
  }
  return Error{.kind = ErrorKind::NotFound,
               .message = fmt::format("{}: no {} with its .bin", dir.string(), kIrFile),
               .code = "missing_weights"};
}

Result<Component> Component::open(const std::filesystem::path& dir, std::string name,
                                  bool prefers_ir) {
  auto config = read_config(dir / "config.json");
  if (!config) return config.error();
  Component component{.name = std::move(name),
                      .where = (dir.filename() / "config.json").string(),
                      .config = *std::move(config),
                      .weights = nullptr};
  const auto ir = ir_files(dir);
  if (ir && (prefers_ir || !weights::component_files(dir))) {
    for (const auto& file : *ir) {
      if (auto checked = check_ir_file(file); !checked) return checked.error();
    }
    // The exporter's own note, in every config of its folders.
    component.config.erase("export_model_type");
    component.weights = std::make_shared<IrWeights>(ir->front());
    component.ir = ir->front();
    return component;
  }
  auto weights = weights::open_component(dir);
  if (!weights) return weights.error();
  component.weights = *std::move(weights);
  return component;
}

CompiledShapes::CompiledShapes(runtime::Runtime& runtime, const Component& component,
                               const NetworkOptions& options)
    : runtime_(&runtime),
      name_(component.name),
      cache_key_(fmt::format("{} {} {} {} {}", kGraphRevision, component.name,
                             json::serialize(component.config), component.weights->fingerprint(),
                             static_cast<int>(options.weight_format))),
      foreign_prefixes_(component.foreign_prefixes),
      ir_(component.ir),
      weights_(component.weights),
      options_(options),
      precision_(component.precision),
      networks_(options.shapes_max) {}

Result<runtime::Network> CompiledShapes::trace(const Write& write) {
  const nn::WeightScope scope(*weights_, options_.weight_format,
                              is_known_ ? nn::NumberCheck::No : nn::NumberCheck::Yes);
  auto network = nn::trace(name_, [&](nn::Graph& graph) { write(graph, scope); });
  if (!network || is_known_) return network;
  is_known_ = true;
  report_unused(scope.unused());
  return network;
}

void CompiledShapes::report_unused(std::vector<std::string> names) const {
  std::erase_if(names, [&](const std::string& name) {
    const auto is_prefix = [&](const std::string& prefix) { return name.starts_with(prefix); };
    return name.ends_with("position_ids") || std::ranges::any_of(foreign_prefixes_, is_prefix);
  });
  if (names.empty()) return;
  const std::size_t shown = std::min<std::size_t>(names.size(), 5);
  log::warn("{}: {} tensors of the file have no place in the network: {}{}", name_, names.size(),
            fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
            names.size() > shown ? ", …" : "");
}

Result<runtime::CompiledNetwork*> CompiledShapes::get(const std::string& shape,
                                                      const Write& write) {
  if (auto* compiled = networks_.find(shape)) return compiled->get();
  networks_.make_room();
  const auto started = std::chrono::steady_clock::now();
  auto network =
      runtime_->compile({.name = fmt::format("{} {}", name_, shape),
                         .cache_key = cache_key_ + " " + shape,
                         .build = [&] { return trace(write); },
                         .check_weights = [weights = weights_] { return weights->check_files(); },
                         .precision = precision_});
  if (!network) return network.error();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  log::debug("{} {} {} in {:.2f} s", name_, shape,
             (*network)->came_from_cache() ? "loaded from the graph cache" : "compiled",
             seconds.count());
  return networks_.put(shape, *std::move(network)).get();
}

}  // namespace limner::models
