#include "http/spill_buffer.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace limner::http {
namespace {

Error storage_error(std::string_view verb) {
  return {.kind = ErrorKind::Unavailable,
          .message =
              "the upload could not be stored: the server's temporary storage is full or "
              "not usable",
          .code = "upload_storage_full",
          .detail = fmt::format("cannot {} a temporary file: {}", verb, std::strerror(errno))};
}

// O_TMPFILE is not known to every file system; a file unlinked at once is the same thing.
int open_unnamed(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return fd;
  std::string name = (folder / "limner-upload-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

SpillBuffer::~SpillBuffer() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> SpillBuffer::append(std::string_view bytes) {
  // Once there is a file, memory only gathers small pieces for one write.
  constexpr std::size_t kWriteBytes = 64u << 10;
  size_ += bytes.size();
  memory_.append(bytes);
  if (fd_ < 0 && size_ <= memory_bytes_max_) return {};
  if (fd_ < 0) {
    if (auto opened = open_file(); !opened) return opened;
  }
  return memory_.size() < kWriteBytes ? Result<void>() : write_to_file();
}

Result<PartContent> SpillBuffer::finish() {
  if (fd_ < 0) {
    size_ = 0;
    return PartContent(std::exchange(memory_, {}));
  }
  if (auto written = write_to_file(); !written) return written.error();
  memory_ = {};
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_, 0);
  if (mapped == MAP_FAILED) return storage_error("map");
  ::close(std::exchange(fd_, -1));
  return PartContent(static_cast<const std::uint8_t*>(mapped), std::exchange(size_, 0));
}

Result<void> SpillBuffer::open_file() {
  fd_ = open_unnamed(folder_);
  if (fd_ < 0) return storage_error("make");
  return {};
}

Result<void> SpillBuffer::write_to_file() {
  std::string_view bytes = memory_;
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return storage_error("write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  memory_.clear();
  return {};
}

}  // namespace limner::http
