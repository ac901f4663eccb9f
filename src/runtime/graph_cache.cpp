#include "runtime/graph_cache.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/log.hpp"

namespace limner::runtime {

namespace fs = std::filesystem;

GraphCache::GraphCache(fs::path dir, std::size_t bytes_max)
    : dir_(std::move(dir)), bytes_max_(bytes_max) {
  if (dir_.empty()) return;
  std::error_code ec;
  fs::create_directories(dir_, ec);
  if (ec) {
    log::warn("cache_dir {}: {}; graphs are compiled anew at each start", dir_.string(),
              ec.message());
    dir_.clear();
  }
}

fs::path GraphCache::path_of(const std::string& key) const {
  return dir_ / (sha256_hex(key) + ".blob");
}

void GraphCache::touch(const fs::path& path) const {
  std::error_code ec;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ec);
}

void GraphCache::trim() const {
  struct Blob {
    fs::file_time_type used;
    std::size_t size;
    fs::path path;
  };
  std::vector<Blob> blobs;
  std::size_t total = 0;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(dir_, ec)) {
    if (entry.path().extension() != ".blob") continue;
    const auto size = entry.file_size(ec);
    if (ec) continue;
    blobs.push_back({entry.last_write_time(ec), size, entry.path()});
    total += size;
  }
  std::ranges::sort(blobs, {}, &Blob::used);
  for (const auto& blob : blobs) {
    if (total <= bytes_max_) break;
    fs::remove(blob.path, ec);
    total -= blob.size;
  }
}

}  // namespace limner::runtime
