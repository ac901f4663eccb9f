#include "storage/memory_blob_store.hpp"

#include "storage/new_blob.hpp"

namespace limner::storage {

MemoryBlobStore::MemoryBlobStore(BlobStoreOptions options, const Clock& clock)
    : clock_(clock), state_(State{BlobIndex(options)}) {}

Result<BlobInfo> MemoryBlobStore::put(std::span<const std::uint8_t> content,
                                      std::string_view content_type) {
  SharedContent copy(std::string(content.begin(), content.end()));
  return state_.with([&](State& state) -> Result<BlobInfo> {
    const auto now = clock_.wall_now();
    auto info = new_blob_info(content, content_type, state.index.options().ttl, now);
    if (!info) return info;
    const auto leaving = state.index.reserve(content.size(), now);
    if (!leaving) return leaving.error();
    for (const auto& blob : *leaving) state.contents.erase(blob.id);
    state.contents.emplace(info->id, std::move(copy));
    state.index.commit(*info);
    return info;
  });
}

Result<Blob> MemoryBlobStore::open(std::string_view id) const {
  return state_.with([&](const State& state) -> Result<Blob> {
    auto info = state.index.find(id, clock_.wall_now());
    if (!info) return blob_not_found();
    return Blob{.info = *info, .content = state.contents.at(info->id)};
  });
}

Result<BlobInfo> MemoryBlobStore::info(std::string_view id) const {
  return state_.with([&](const State& state) -> Result<BlobInfo> {
    auto info = state.index.find(id, clock_.wall_now());
    if (!info) return blob_not_found();
    return *info;
  });
}

bool MemoryBlobStore::remove(std::string_view id) {
  return state_.with([&](State& state) {
    const auto info = state.index.remove(id);
    if (info) state.contents.erase(info->id);
    return info.has_value();
  });
}

void MemoryBlobStore::sweep() {
  state_.with([&](State& state) {
    for (const auto& blob : state.index.take_expired(clock_.wall_now())) {
      state.contents.erase(blob.id);
    }
  });
}

std::size_t MemoryBlobStore::used_size_bytes() const {
  return state_.with([](const State& state) { return state.index.used_size_bytes(); });
}

}  // namespace limner::storage
