#include "runtime/graph_cache.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"

namespace limner::runtime {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kDigestBytes = 64;  // sha256_hex
// What a process that died was writing.
constexpr std::chrono::hours kPartialAge{1};

double gibibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1u << 30);
}

}  // namespace

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

bool GraphCache::takes(std::string_view name, std::size_t size_bytes) const {
  if (size_bytes <= bytes_max_) return true;
  log::info(
      "{}: about {:.2f} GiB compiled, more than the cache may hold ({:.2f} GiB, "
      "--cache-limit); it is compiled anew at each start",
      name, gibibytes(size_bytes), gibibytes(bytes_max_));
  return false;
}

void GraphCache::store(const std::string& key,
                       const std::function<void(std::ostream&)>& write) const {
  const fs::path path = path_of(key);
  fs::path partial = path;
  // Another process, or another thread of this one, may be writing the same graph.
  partial += "." + random_id("") + ".part";
  std::error_code ec;
  try {
    std::ofstream file(partial, std::ios::binary);
    write(file);
    file.close();
    if (!file) log::warn("cache_dir {}: cannot write (disk full?)", dir_.string());
    if (file && seal(partial)) fs::rename(partial, path, ec);
  } catch (...) {
    fs::remove(partial, ec);
    throw;
  }
  fs::remove(partial, ec);
  trim();
}

// Adds the digest. False for what is too large.
bool GraphCache::seal(const fs::path& file) const {
  std::string digest;
  {
    const auto written = MappedFile::open(file);
    if (!written) return false;
    const auto bytes = written->bytes();
    if (bytes.size() + kDigestBytes > bytes_max_) return false;
    digest = sha256_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  std::ofstream end(file, std::ios::binary | std::ios::app);
  end << digest;
  end.close();
  return static_cast<bool>(end);
}

std::optional<fs::path> GraphCache::find(const std::string& key) const {
  const fs::path path = path_of(key);
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return std::nullopt;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ec);
  return path;
}

std::optional<std::size_t> GraphCache::content_of(std::string_view file) {
  if (file.size() <= kDigestBytes) return std::nullopt;
  const std::size_t size = file.size() - kDigestBytes;
  if (file.substr(size) != sha256_hex(file.substr(0, size))) return std::nullopt;
  return size;
}

void GraphCache::remove(const std::string& key) const {
  std::error_code ec;
  fs::remove(path_of(key), ec);
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
  const auto now = fs::file_time_type::clock::now();
  for (const auto& entry : fs::directory_iterator(dir_, ec)) {
    const auto& path = entry.path();
    const auto size = entry.file_size(ec);
    if (ec) continue;
    const auto used = entry.last_write_time(ec);
    // Also those larger than a limit that was lowered, before they drive out the others.
    const bool is_left = path.extension() == ".part" && now - used > kPartialAge;
    if (is_left || (path.extension() == ".blob" && size > bytes_max_)) {
      fs::remove(path, ec);
    } else if (path.extension() == ".blob") {
      blobs.push_back({used, size, path});
      total += size;
    }
  }
  std::ranges::sort(blobs, {}, &Blob::used);
  for (const auto& blob : blobs) {
    if (total <= bytes_max_) break;
    fs::remove(blob.path, ec);
    total -= blob.size;
  }
}

}  // namespace limner::runtime
