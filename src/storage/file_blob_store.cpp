#include "storage/file_blob_store.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "storage/content_types.hpp"
#include "storage/new_blob.hpp"

namespace limner::storage {
namespace {

constexpr std::string_view kPartialSuffix = ".part";

Error folder_error(const std::filesystem::path& folder, std::string_view what) {
  return Error{.kind = ErrorKind::Unavailable,
               .message = fmt::format("the folder for pictures {}: {}", folder.string(), what),
               .code = "storage_failed"};
}

Error write_error(int cause) {
  // EFBIG: a limit on file sizes, which is as good as a full disk.
  const bool is_full = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
  Error error{.kind = ErrorKind::Unavailable,
              .message = is_full ? "no room to keep the picture; ask for b64_json"
                                 : "the picture could not be kept; ask for b64_json",
              .code = is_full ? "storage_full" : "storage_failed"};
  error.detail = std::strerror(cause);
  return error;
}

std::string file_name(const BlobInfo& info) {
  const auto expires =
      std::chrono::duration_cast<std::chrono::seconds>(info.expires.time_since_epoch());
  return fmt::format("{}.{}.{}", info.id, expires.count(),
                     find_content_type(info.content_type)->extension);
}

// The inverse of file_name; empty for files that are not the store's.
std::optional<BlobInfo> parse_file_name(std::string_view name) {
  const auto first = name.find('.');
  const auto last = name.rfind('.');
  if (first == name.npos || first == last || !is_blob_id(name.substr(0, first))) {
    return std::nullopt;
  }
  const auto* type = find_content_type_by_extension(name.substr(last + 1));
  const auto seconds = name.substr(first + 1, last - first - 1);
  std::uint32_t expires = 0;
  const auto* end = seconds.data() + seconds.size();
  const auto parsed = std::from_chars(seconds.data(), end, expires);
  if (!type || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  BlobInfo info{.id = std::string(name.substr(0, first)),
                .content_type = std::string(type->name),
                .expires = WallTime(std::chrono::seconds(expires))};
  info.etag = etag_of(info.id);
  // Only what it would be written as again: "007" is nobody's.
  return file_name(info) == name ? std::optional(info) : std::nullopt;
}

bool is_partial(std::string_view name) {
  return name.ends_with(kPartialSuffix) &&
         is_blob_id(name.substr(0, name.size() - kPartialSuffix.size()));
}

Result<std::vector<std::string>> list_names(int folder) {
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return write_error(errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  if (!stream) {
    const int cause = errno;
    ::close(copy);
    return write_error(cause);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) names.emplace_back(entry->d_name);
  return names;
}

// 0, or what went wrong.
int write_all(int fd, std::span<const std::uint8_t> content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content = content.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

// A regular file of exactly `size` bytes; NotFound if it is anything else by now.
Result<SharedContent> open_exactly(int folder, const std::string& name, std::size_t size) {
  Descriptor fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0 && (errno == EMFILE || errno == ENFILE)) {
    return Error{.kind = ErrorKind::Unavailable,
                 .message = "the server has too many files open, try again",
                 .code = "overloaded",
                 .retry_after = std::chrono::seconds(1)};
  }
  struct stat status {};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::size_t>(status.st_size) != size) {
    return blob_not_found();
  }
  return SharedContent(std::move(fd), size);
}

}  // namespace

Result<std::unique_ptr<FileBlobStore>> FileBlobStore::open_folder(
    const std::filesystem::path& folder, BlobStoreOptions options, const Clock& clock) {
  std::error_code failure;
  std::filesystem::create_directories(folder.parent_path(), failure);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return folder_error(folder, std::strerror(errno));
  }
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd.get() < 0) return folder_error(folder, std::strerror(errno));
  if (::faccessat(fd.get(), ".", W_OK | X_OK, 0) != 0) {
    return folder_error(folder, std::strerror(errno));
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return folder_error(folder, "another process uses it");
  }
  std::unique_ptr<FileBlobStore> store(new FileBlobStore(fd.take(), options, clock));
  const auto rebuilt = store->rebuild_index();
  if (!rebuilt) return rebuilt.error();
  return store;
}

FileBlobStore::FileBlobStore(int folder, BlobStoreOptions options, const Clock& clock)
    : folder_(folder), clock_(clock), index_(BlobIndex(options)) {}

FileBlobStore::~FileBlobStore() {
  ::close(folder_);
}

Result<void> FileBlobStore::rebuild_index() {
  const auto names = list_names(folder_);
  if (!names) return names.error();
  std::vector<BlobInfo> blobs;
  for (const auto& name : *names) {
    // A half-written file of a process that was killed.
    if (is_partial(name)) ::unlinkat(folder_, name.c_str(), 0);
    auto info = parse_file_name(name);
    struct stat status {};
    if (!info || ::fstatat(folder_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    info->size_bytes = static_cast<std::size_t>(status.st_size);
    info->created = WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::seconds(status.st_mtim.tv_sec) +
        std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
    // Renamed, but its bytes never reached the disk: the machine lost power.
    if (info->size_bytes == 0) info->expires = WallTime();
    blobs.push_back(std::move(*info));
  }
  std::sort(blobs.begin(), blobs.end(), [](const BlobInfo& a, const BlobInfo& b) {
    return std::tie(a.created, a.id) < std::tie(b.created, b.id);
  });
  index_.with([&](BlobIndex& index) {
    for (auto& blob : blobs) index.add(std::move(blob));
    unlink_all(index.take_expired(clock_.wall_now()));
    unlink_all(index.take_excess());
  });
  return {};
}

Result<BlobInfo> FileBlobStore::put(std::span<const std::uint8_t> content,
                                    std::string_view content_type) {
  const auto now = clock_.wall_now();
  const auto ttl = index_.with([](const BlobIndex& index) { return index.options().ttl; });
  auto info = new_blob_info(content, content_type, ttl, now);
  if (!info) return info;
  const auto leaving =
      index_.with([&](BlobIndex& index) { return index.reserve(content.size(), now); });
  if (!leaving) return leaving.error();
  unlink_all(*leaving);
  const auto written = write(*info, content);
  if (!written) {
    index_.with([&](BlobIndex& index) { index.release(content.size()); });
    return written.error();
  }
  index_.with([&](BlobIndex& index) { index.commit(*info); });
  return info;
}

Result<void> FileBlobStore::write(const BlobInfo& info,
                                  std::span<const std::uint8_t> content) const {
  const std::string partial = info.id + std::string(kPartialSuffix);
  const auto fail = [&](int cause) {
    ::unlinkat(folder_, partial.c_str(), 0);
    return write_error(cause);
  };
  {
    const Descriptor fd(::openat(folder_, partial.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd.get() < 0) return write_error(errno);
    const int cause = write_all(fd.get(), content);
    if (cause != 0) return fail(cause);
  }
  if (::renameat(folder_, partial.c_str(), folder_, file_name(info).c_str()) != 0) {
    return fail(errno);
  }
  return {};
}

Result<Blob> FileBlobStore::open(std::string_view id) const {
  auto found = info(id);
  if (!found) return found.error();
  // It may be evicted between the look-up and here; the caller sees the same answer.
  auto content = open_exactly(folder_, file_name(*found), found->size_bytes);
  if (!content) return content.error();
  return Blob{.info = std::move(*found), .content = std::move(*content)};
}

Result<BlobInfo> FileBlobStore::info(std::string_view id) const {
  if (!is_blob_id(id)) return blob_not_found();
  auto found =
      index_.with([&](const BlobIndex& index) { return index.find(id, clock_.wall_now()); });
  if (!found) return blob_not_found();
  return std::move(*found);
}

bool FileBlobStore::remove(std::string_view id) {
  const auto removed = index_.with([&](BlobIndex& index) { return index.remove(id); });
  if (removed) unlink_all({*removed});
  return removed.has_value();
}

void FileBlobStore::sweep() {
  unlink_all(index_.with([&](BlobIndex& index) { return index.take_expired(clock_.wall_now()); }));
}

std::size_t FileBlobStore::used_size_bytes() const {
  return index_.with([](const BlobIndex& index) { return index.used_size_bytes(); });
}

void FileBlobStore::unlink_all(const std::vector<BlobInfo>& blobs) const {
  for (const auto& blob : blobs) {
    if (::unlinkat(folder_, file_name(blob).c_str(), 0) == 0 || errno == ENOENT) continue;
    // It is out of the index and so no longer served; only its room is lost.
    log::warn("a picture past its time could not be removed: {}", std::strerror(errno));
  }
}

}  // namespace limner::storage
