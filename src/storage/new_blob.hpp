// What both stores decide alike about a blob before it is kept.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "storage/blob_store.hpp"

namespace limner::storage {

// With a fresh id, from `now` until the time to live has passed. InvalidArgument for an empty blob
// or a content type that is not kept.
Result<BlobInfo> new_blob_info(std::span<const std::uint8_t> content, std::string_view content_type,
                               std::chrono::seconds ttl, WallTime now);

std::string etag_of(std::string_view id);

Error blob_not_found();

}  // namespace limner::storage
