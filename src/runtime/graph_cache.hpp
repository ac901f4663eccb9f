// Compiled graphs on disk, one file a key. A lost, truncated or foreign file is only a slow start.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace limner::runtime {

class GraphCache {
 public:
  GraphCache(std::filesystem::path dir, std::size_t bytes_max);

  bool is_enabled() const { return !dir_.empty(); }
  // Where the blob of this key is or would be.
  std::filesystem::path path_of(const std::string& key) const;
  // Marks a blob as used, for the order of eviction.
  void touch(const std::filesystem::path& path) const;
  // Deletes the least recently used blobs above the size limit.
  void trim() const;

 private:
  std::filesystem::path dir_;
  std::size_t bytes_max_;
};

}  // namespace limner::runtime
