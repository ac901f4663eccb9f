// Whole small files, and a mapped view of a large one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/mapped_files.hpp"
#include "base/result.hpp"

namespace limner {

// Pipes, devices and folders are refused here and below, without waiting for them.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t size_bytes_max);

// Writes beside `path` and renames, so that nobody ever sees half a file.
Result<void> write_file(const std::filesystem::path& path, std::string_view bytes);

// A file mapped read-only for as long as this object lives, and watched (mapped_files.hpp): where
// it is cut short meanwhile, its bytes become zeros. Move-only.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::uint8_t> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  MappedFile(std::filesystem::path path, const std::uint8_t* data, std::size_t size);
  std::filesystem::path path_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::optional<MappingId> mapping_;
};

}  // namespace limner
