// Compiled graphs on disk, one file a key, each ending in the digest of what is before it. A lost,
// truncated, damaged or foreign file is only a slow start.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace limner::runtime {

class GraphCache {
 public:
  GraphCache(std::filesystem::path dir, std::size_t bytes_max);

  bool is_enabled() const { return !dir_.empty(); }
  const std::filesystem::path& dir() const { return dir_; }  // empty when off

  // May a graph of about this size be stored? Says so in the log when not: one that is larger than
  // the limit would only drive the others out.
  bool takes(std::string_view name, std::size_t size_bytes) const;
  // Writes what `write` gives, unless it turns out larger than the limit, then drops the least
  // recently used graphs above it. A disk that cannot take it is a warning. Exceptions of `write`
  // come through, and leave nothing behind.
  void store(const std::string& key, const std::function<void(std::ostream&)>& write) const;
  // The file of this key, marked as used.
  std::optional<std::filesystem::path> find(const std::string& key) const;
  // How many of a file's bytes are the graph; nothing when they are not what was stored.
  static std::optional<std::size_t> content_of(std::string_view file);
  void remove(const std::string& key) const;

 private:
  std::filesystem::path path_of(const std::string& key) const;
  bool seal(const std::filesystem::path& file) const;
  void trim() const;

  std::filesystem::path dir_;
  std::size_t bytes_max_;
};

}  // namespace limner::runtime
