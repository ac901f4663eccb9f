// Finished pictures for `url` answers: kept for a while, found only by an id nobody can guess.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/shared_content.hpp"

namespace limner::storage {

using WallTime = std::chrono::system_clock::time_point;

struct BlobInfo {
  std::string id;            // 32 lower-case hex digits, 128 random bits
  std::string content_type;  // "image/png"
  std::string etag = {};     // with its quotes; a blob never changes
  std::size_t size_bytes = 0;
  WallTime created = {};
  WallTime expires = {};
};

struct Blob {
  BlobInfo info;
  SharedContent content;  // not read yet: of the store's file, or shared with the store
};

struct BlobStoreOptions {
  std::chrono::seconds ttl{3'600};
  // Of all blobs, each rounded up to a disk block; the oldest go first when a new one needs room.
  std::size_t size_bytes_max = std::size_t{1} << 30;
};

// Any thread may call anything at any time.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Content types: those of pictures, application/json, application/octet-stream. Errors: TooLarge
  // when the blob alone is beyond the store's size; Unavailable, code "storage_full", when the disk
  // has no room, and "storage_failed" for other troubles of the disk. Nothing is left behind then.
  virtual Result<BlobInfo> put(std::span<const std::uint8_t> content,
                               std::string_view content_type) = 0;

  // NotFound for an id that is malformed, unknown, expired or gone: the caller cannot tell which.
  // Unavailable when the process has no descriptor left. Reads nothing.
  virtual Result<Blob> open(std::string_view id) const = 0;
  // The same without the content.
  virtual Result<BlobInfo> info(std::string_view id) const = 0;

  // False when there was nothing.
  virtual bool remove(std::string_view id) = 0;

  // Removes what has expired. put does so too, but may not come for a long time: the owner calls
  // this now and then, so that nothing outlives its time.
  virtual void sweep() = 0;

  // What size_bytes_max is held against.
  virtual std::size_t used_size_bytes() const = 0;
};

// ^[0-9a-f]{32}$: nothing else ever reaches a file name.
bool is_blob_id(std::string_view id);

}  // namespace limner::storage
