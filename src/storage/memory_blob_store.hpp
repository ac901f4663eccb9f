// Blobs in memory, for a server without a directory: gone when it stops.
#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "storage/blob_index.hpp"
#include "storage/blob_store.hpp"

namespace limner::storage {

class MemoryBlobStore final : public BlobStore {
 public:
  // `clock` must outlive the store.
  MemoryBlobStore(BlobStoreOptions options, const Clock& clock);

  Result<BlobInfo> put(std::span<const std::uint8_t> content,
                       std::string_view content_type) override;
  Result<Blob> open(std::string_view id) const override;
  Result<BlobInfo> info(std::string_view id) const override;
  bool remove(std::string_view id) override;
  void sweep() override;
  std::size_t used_size_bytes() const override;

 private:
  struct State {
    BlobIndex index;
    std::unordered_map<std::string, SharedContent> contents = {};
  };
  const Clock& clock_;
  Guarded<State> state_;
};

}  // namespace limner::storage
