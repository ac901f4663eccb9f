// Bytes that grow in memory up to a limit, then in a temporary file without a name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/part.hpp"

namespace limner::http {

class SpillBuffer {
 public:
  SpillBuffer(std::size_t memory_bytes_max, std::filesystem::path folder)
      : memory_bytes_max_(memory_bytes_max), folder_(std::move(folder)) {}
  SpillBuffer(const SpillBuffer&) = delete;
  SpillBuffer& operator=(const SpillBuffer&) = delete;
  ~SpillBuffer();

  // Unavailable with code "upload_storage_full" when the file cannot be made or cannot grow.
  Result<void> append(std::string_view bytes);
  // The whole; the buffer is empty afterwards.
  Result<PartContent> finish();

  std::size_t size() const { return size_; }
  std::size_t memory_size() const { return memory_.size(); }
  std::size_t spilled_size() const { return fd_ < 0 ? 0 : size_ - memory_.size(); }

 private:
  Result<void> open_file();
  Result<void> write_to_file();

  std::size_t memory_bytes_max_;
  std::filesystem::path folder_;
  std::string memory_;
  int fd_ = -1;
  std::size_t size_ = 0;
};

}  // namespace limner::http
