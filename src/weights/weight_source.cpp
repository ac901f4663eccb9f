#include "weights/weight_source.hpp"

#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.hpp"

namespace limner::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kStems = {"diffusion_pytorch_model", "model",
                                                    "diffusion_pytorch_model.fp16", "model.fp16"};

Result<std::unique_ptr<WeightSource>> open_files(const fs::path& dir,
                                                 const std::set<std::string>& files) {
  TensorMap tensors;
  std::string fingerprint;
  for (const auto& file : files) {
    auto header = open_safetensors(dir / file);
    if (!header) return header.error();
    fingerprint += file_fingerprint(dir / file) + ";";
    for (auto& [name, view] : header->tensors) {
      if (!tensors.emplace(name, std::move(view)).second) {
        return Error{.kind = ErrorKind::InvalidArgument,
                     .message = fmt::format("{}: tensor {} is in two shards", dir.string(), name),
                     .code = "invalid_weights"};
      }
    }
  }
  return std::unique_ptr<WeightSource>(
      std::make_unique<MapWeightSource>(std::move(tensors), std::move(fingerprint)));
}

// The shards that an index names; every name must be a plain file of the same folder.
Result<std::set<std::string>> read_index(const fs::path& path) {
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
  return files;
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

Result<std::unique_ptr<WeightSource>> open_component(const fs::path& dir) {
  std::error_code ec;
  for (const auto stem : kStems) {
    const std::string file = std::string(stem) + ".safetensors";
    if (fs::exists(dir / file, ec)) return open_files(dir, {file});
    // A variant's name stands before or after the other endings, by the writer's age.
    const std::string plain(stem.substr(0, stem.find('.')));
    for (const std::string& index :
         {file + ".index.json", plain + ".safetensors.index.fp16.json"}) {
      if (!fs::exists(dir / index, ec)) continue;
      auto shards = read_index(dir / index);
      if (!shards) return shards.error();
      return open_files(dir, *shards);
    }
  }
  const bool has_pickle = fs::exists(dir / "diffusion_pytorch_model.bin", ec) ||
                          fs::exists(dir / "pytorch_model.bin", ec);
  return Error{.kind = ErrorKind::NotFound,
               .message = fmt::format(
                   "{}: no weights; looked for {}.safetensors, single or with .index.json{}",
                   dir.string(), fmt::join(kStems, ".safetensors, "),
                   has_pickle ? ". There is a .bin file: pickles can run code and are not read; "
                                "download the safetensors files of this model"
                              : ""),
               .code = "missing_weights"};
}

}  // namespace limner::weights
