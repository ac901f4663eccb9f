// Which blobs there are, how old, and how much room they take. Decides what must go; touches
// nothing outside itself. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/blob_store.hpp"

namespace limner::storage {

class BlobIndex {
 public:
  explicit BlobIndex(BlobStoreOptions options) : options_(options) {}

  // Takes room for a blob and returns who has to leave for it, oldest first; they are no longer in
  // the index. TooLarge when it can never fit.
  Result<std::vector<BlobInfo>> reserve(std::size_t size_bytes, WallTime now);
  // Ends a reservation: by the blob itself, or by giving the room back.
  void commit(BlobInfo info);
  void release(std::size_t size_bytes);

  // A blob found at start, without a reservation. Call in the order of creation.
  void add(BlobInfo info);

  std::optional<BlobInfo> find(std::string_view id, WallTime now) const;
  std::optional<BlobInfo> remove(std::string_view id);
  // Looks at those that have expired and at one more, however many there are.
  std::vector<BlobInfo> take_expired(WallTime now);
  // Oldest first, until no more than the maximum is used.
  std::vector<BlobInfo> take_excess();

  std::size_t used_size_bytes() const { return used_size_bytes_; }
  const BlobStoreOptions& options() const { return options_; }

 private:
  BlobInfo take(std::map<std::uint64_t, BlobInfo>::iterator entry);

  BlobStoreOptions options_;
  std::map<std::uint64_t, BlobInfo> by_age_;  // key counts up
  // Not the same order: an earlier server may have given them another time to live.
  std::set<std::pair<WallTime, std::uint64_t>> by_expiry_;
  std::unordered_map<std::string, std::uint64_t> age_of_id_;
  std::uint64_t next_age_ = 0;
  std::size_t used_size_bytes_ = 0;
};

}  // namespace limner::storage
