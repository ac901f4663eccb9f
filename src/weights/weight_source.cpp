#include "weights/weight_source.hpp"

#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.hpp"
#include "weights/scaled_weights.hpp"

namespace limner::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kStems = {"diffusion_pytorch_model", "model",
                                                    "diffusion_pytorch_model.fp16", "model.fp16"};

// The shards that an index names; every name must be a plain file of the same folder.
Result<std::vector<fs::path>> read_index(const fs::path& path) {
  auto index = read_json_file(path);
  if (!index) return index.error();
  const auto bad = [&](std::string_view what) {
    return Error{.kind = ErrorKind::InvalidArgument,
                 .message = fmt::format("{}: {}", path.string(), what),
                 .code = "invalid_weights"};
  };
  const auto* object = index->if_object();
  const auto* map = object ? object->if_contains("weight_map") : nullptr;
  if (!map || !map->is_object()) return bad("has no weight_map");
  std::set<std::string> files;
  for (const auto& [name, file] : map->get_object()) {
    if (!file.is_string()) return bad("weight_map names something that is no file");
    const std::string shard(file.get_string());
    if (fs::path(shard).filename() != shard || shard.starts_with('.')) {
      return bad(fmt::format("shard {} is outside the folder", shard));
    }
    files.insert(shard);
  }
  if (files.empty()) return bad("weight_map is empty");
  std::vector<fs::path> paths;
  for (const auto& file : files) {
    std::error_code ec;
    paths.push_back(path.parent_path() / file);
    if (!fs::exists(paths.back(), ec)) return bad(fmt::format("shard {} is missing", file));
  }
  return paths;
}

// Weights in other formats, for the error.
std::string foreign_weights(const fs::path& dir) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kFormats = {{
      {".bin", "pickles can run code and are not read"},
      {".ckpt", "pickles can run code and are not read"},
      {".pt", "pickles can run code and are not read"},
      {".pth", "pickles can run code and are not read"},
      {".gguf", "GGUF is not read"},
      {".onnx", "ONNX is not read"},
      {".msgpack", "Flax is not read"},
      {".h5", "HDF5 is not read"},
  }};
  std::error_code failed;
  fs::directory_iterator entries(dir, failed);
  for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    const std::string name = entries->path().filename().string();
    for (const auto& [ending, what] : kFormats) {
      if (!name.ends_with(ending) || name.starts_with("openvino_")) continue;
      return fmt::format(". There is {}: {}; download the safetensors files of this model", name,
                         what);
    }
  }
  return "";
}

Error no_weights(const fs::path& dir) {
  return {.kind = ErrorKind::NotFound,
          .message =
              fmt::format("{}: no weights; looked for {}.safetensors, single or with .index.json{}",
                          dir.string(), fmt::join(kStems, ".safetensors, "), foreign_weights(dir)),
          .code = "missing_weights"};
}

}  // namespace

MapWeightSource::MapWeightSource(TensorMap tensors, std::string fingerprint)
    : tensors_(std::move(tensors)), fingerprint_(std::move(fingerprint)), files_(tensors_) {}

const TensorView* MapWeightSource::find(std::string_view name) {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

std::vector<std::string> MapWeightSource::names() const {
  std::vector<std::string> names;
  for (const auto& [name, view] : tensors_) names.push_back(name);
  return names;
}

std::size_t MapWeightSource::size_bytes() const {
  std::size_t total = 0;
  for (const auto& [name, view] : tensors_) total += view.bytes.size();
  return total;
}

std::string file_fingerprint(const fs::path& path) {
  std::error_code ec;
  const auto size = fs::file_size(path, ec);
  const auto time = fs::last_write_time(path, ec).time_since_epoch().count();
  return fmt::format("{}|{}|{}", fs::weakly_canonical(path, ec).string(), size, time);
}

Result<std::vector<fs::path>> component_files(const fs::path& dir) {
  std::error_code ec;
  for (const auto stem : kStems) {
    const std::string file = std::string(stem) + ".safetensors";
    if (fs::exists(dir / file, ec)) return std::vector{dir / file};
    // A variant's name stands before or after the other endings, by the writer's age.
    const std::string plain(stem.substr(0, stem.find('.')));
    for (const std::string& index :
         {file + ".index.json", plain + ".safetensors.index.fp16.json"}) {
      if (fs::exists(dir / index, ec)) return read_index(dir / index);
    }
  }
  return no_weights(dir);
}

Result<std::unique_ptr<WeightSource>> open_component(const fs::path& dir) {
  const auto files = component_files(dir);
  if (!files) return files.error();
  SafetensorsHeader all;
  std::string fingerprint;
  for (const auto& file : *files) {
    auto header = open_safetensors(file);
    if (!header) return header.error();
    fingerprint += file_fingerprint(file) + ";";
    all.metadata.merge(header->metadata);
    all.tensors.merge(header->tensors);
    if (header->tensors.empty()) continue;
    return Error{.kind = ErrorKind::InvalidArgument,
                 .message = fmt::format("{}: tensor {} is in two shards", dir.string(),
                                        header->tensors.begin()->first),
                 .code = "invalid_weights"};
  }
  if (auto scaled = attach_scales(all, dir.string()); !scaled) return scaled.error();
  return std::unique_ptr<WeightSource>(
      std::make_unique<MapWeightSource>(std::move(all.tensors), std::move(fingerprint)));
}

}  // namespace limner::weights
