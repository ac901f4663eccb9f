// Blobs as plain files in one directory that is the store's own: `<id>.<expiry>.<extension>`, where
// expiry is seconds since 1970. What is found there at start is served again until it expires;
// files with other names are left alone.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "storage/blob_index.hpp"
#include "storage/blob_store.hpp"

namespace limner::storage {

class FileBlobStore final : public BlobStore {
 public:
  // Makes the directory if need be (mode 0700). Errors: not a directory, not writable, a symbolic
  // link, or in use by another process. `clock` must outlive the store.
  static Result<std::unique_ptr<FileBlobStore>> open_folder(const std::filesystem::path& folder,
                                                            BlobStoreOptions options,
                                                            const Clock& clock);
  FileBlobStore(const FileBlobStore&) = delete;
  FileBlobStore& operator=(const FileBlobStore&) = delete;
  ~FileBlobStore() override;

  Result<BlobInfo> put(std::span<const std::uint8_t> content,
                       std::string_view content_type) override;
  Result<Blob> open(std::string_view id) const override;
  Result<BlobInfo> info(std::string_view id) const override;
  bool remove(std::string_view id) override;
  void sweep() override;
  std::size_t used_size_bytes() const override;

 private:
  FileBlobStore(int folder, BlobStoreOptions options, const Clock& clock);
  Result<void> rebuild_index();
  Result<void> write(const BlobInfo& info, std::span<const std::uint8_t> content) const;
  void unlink_all(const std::vector<BlobInfo>& blobs) const;

  const int folder_;  // descriptor; every name is resolved below it
  const Clock& clock_;
  Guarded<BlobIndex> index_;
};

}  // namespace limner::storage
