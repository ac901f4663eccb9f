#include "storage/blob_index.hpp"

#include <fmt/format.h>

#include "base/check.hpp"

namespace limner::storage {
namespace {

// Files take whole blocks; this also bounds the number of tiny blobs.
std::size_t occupied(std::size_t size_bytes) {
  constexpr std::size_t kBlockBytes = 4'096;
  return (size_bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

}  // namespace

Result<std::vector<BlobInfo>> BlobIndex::reserve(std::size_t size_bytes, WallTime now) {
  const std::size_t needed = occupied(size_bytes);
  if (size_bytes > options_.size_bytes_max || needed > options_.size_bytes_max) {
    return Error{.kind = ErrorKind::TooLarge,
                 .message = fmt::format("got {} bytes to keep, at most {} fit", size_bytes,
                                        options_.size_bytes_max)};
  }
  auto leaving = take_expired(now);
  while (used_size_bytes_ > options_.size_bytes_max - needed && !by_age_.empty()) {
    leaving.push_back(take(by_age_.begin()));
  }
  // Only when reservations still being written fill the store by themselves.
  if (used_size_bytes_ > options_.size_bytes_max - needed) {
    return Error{.kind = ErrorKind::Unavailable,
                 .message = "no room to keep the picture now",
                 .code = "storage_full",
                 .retry_after = std::chrono::seconds(1)};
  }
  used_size_bytes_ += needed;
  return leaving;
}

void BlobIndex::commit(BlobInfo info) {
  release(info.size_bytes);
  add(std::move(info));
}

void BlobIndex::release(std::size_t size_bytes) {
  LIMNER_CHECK(used_size_bytes_ >= occupied(size_bytes));
  used_size_bytes_ -= occupied(size_bytes);
}

void BlobIndex::add(BlobInfo info) {
  used_size_bytes_ += occupied(info.size_bytes);
  age_of_id_.emplace(info.id, next_age_);
  by_expiry_.emplace(info.expires, next_age_);
  by_age_.emplace(next_age_++, std::move(info));
}

std::optional<BlobInfo> BlobIndex::find(std::string_view id, WallTime now) const {
  const auto age = age_of_id_.find(std::string(id));
  if (age == age_of_id_.end()) return std::nullopt;
  const auto& info = by_age_.at(age->second);
  if (info.expires <= now) return std::nullopt;
  return info;
}

std::optional<BlobInfo> BlobIndex::remove(std::string_view id) {
  const auto age = age_of_id_.find(std::string(id));
  if (age == age_of_id_.end()) return std::nullopt;
  return take(by_age_.find(age->second));
}

std::vector<BlobInfo> BlobIndex::take_expired(WallTime now) {
  std::vector<BlobInfo> expired;
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) {
    expired.push_back(take(by_age_.find(by_expiry_.begin()->second)));
  }
  return expired;
}

std::vector<BlobInfo> BlobIndex::take_excess() {
  std::vector<BlobInfo> excess;
  while (used_size_bytes_ > options_.size_bytes_max && !by_age_.empty()) {
    excess.push_back(take(by_age_.begin()));
  }
  return excess;
}

BlobInfo BlobIndex::take(std::map<std::uint64_t, BlobInfo>::iterator entry) {
  BlobInfo info = std::move(entry->second);
  by_expiry_.erase({info.expires, entry->first});
  by_age_.erase(entry);
  age_of_id_.erase(info.id);
  used_size_bytes_ -= occupied(info.size_bytes);
  return info;
}

}  // namespace limner::storage
