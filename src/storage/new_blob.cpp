#include "storage/new_blob.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "storage/content_types.hpp"

namespace limner::storage {

Result<BlobInfo> new_blob_info(std::span<const std::uint8_t> content, std::string_view content_type,
                               std::chrono::seconds ttl, WallTime now) {
  if (content.empty()) return invalid_value("", "an empty file cannot be kept");
  const auto* type = find_content_type(content_type);
  if (!type) return invalid_value("", fmt::format("files of type {} are not kept", content_type));
  const std::string id = random_id("");
  return BlobInfo{.id = id,
                  .content_type = std::string(type->name),
                  .etag = etag_of(id),
                  .size_bytes = content.size(),
                  .created = now,
                  .expires = now + ttl};
}

// A blob never changes and its id is never used twice, so the id tells versions apart. Only part of
// it: the whole would let whoever reads a cache's log fetch the picture.
std::string etag_of(std::string_view id) {
  return fmt::format("\"{}\"", id.substr(0, 16));
}

Error blob_not_found() {
  return Error{.kind = ErrorKind::NotFound, .message = "no such file, or it has expired"};
}

}  // namespace limner::storage
