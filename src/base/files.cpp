#include "base/files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "base/ids.hpp"

namespace limner {
namespace {

Error io_error(const std::filesystem::path& path, std::string_view verb) {
  const int code = errno;
  return {.kind = code == ENOENT ? ErrorKind::NotFound : ErrorKind::Internal,
          .message = fmt::format("cannot {} {}: {}", verb, path.string(), std::strerror(code))};
}

// A pipe or a device would keep us waiting for as long as nobody writes into it.
Result<std::size_t> regular_size(const std::filesystem::path& path, int fd, std::string_view verb) {
  struct stat info{};
  if (fd < 0 || ::fstat(fd, &info) != 0) return io_error(path, verb);
  if (!S_ISREG(info.st_mode)) {
    return Error{.kind = ErrorKind::InvalidArgument,
                 .message = fmt::format("{} is not a regular file", path.string())};
  }
  return static_cast<std::size_t>(info.st_size);
}

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t size_bytes_max) {
  const Descriptor fd(::open(path.c_str(), kReadFlags));
  const auto found = regular_size(path, fd.get(), "read");
  if (!found) return found.error();
  const auto size = *found;
  if (size > size_bytes_max) {
    return Error{.kind = ErrorKind::TooLarge,
                 .message = fmt::format("{} has {} bytes, at most {} are read", path.string(), size,
                                        size_bytes_max)};
  }
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(fd.get(), text.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error(path, "read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  text.resize(done);
  return text;
}

Result<void> write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::path partial = path;
  partial += "." + random_id("").substr(0, 8) + ".part";
  {
    const Descriptor fd(::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (fd.get() < 0) return io_error(path, "write");
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        auto error = io_error(path, "write");
        ::unlink(partial.c_str());
        return error;
      }
      done += static_cast<std::size_t>(n);
    }
  }
  if (::rename(partial.c_str(), path.c_str()) != 0) {
    auto error = io_error(path, "write");
    ::unlink(partial.c_str());
    return error;
  }
  return {};
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), kReadFlags));
  const auto size = regular_size(path, fd.get(), "open");
  if (!size) return size.error();
  if (*size == 0) return MappedFile(path, nullptr, 0);
  void* data = ::mmap(nullptr, *size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return io_error(path, "map");
  MappedFile file(path, static_cast<const std::uint8_t*>(data), *size);
  auto watched = watch_mapping(path, fd.get(), data, *size);
  if (!watched) return watched.error();
  file.mapping_ = *watched;
  return file;
}

MappedFile::MappedFile(std::filesystem::path path, const std::uint8_t* data, std::size_t size)
    : path_(std::move(path)), data_(data), size_(size) {}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapping_(std::exchange(other.mapping_, std::nullopt)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapping_, other.mapping_);
  return *this;
}

MappedFile::~MappedFile() {
  if (mapping_) forget_mapping(*mapping_);
  if (data_) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

}  // namespace limner
