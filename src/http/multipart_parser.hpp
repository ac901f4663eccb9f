// multipart/form-data (RFC 7578) pushed in pieces of any size, as it comes from the socket.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/part.hpp"

namespace limner::http {

// No defaults: the product's are in core/limits.hpp.
struct MultipartLimits {
  std::size_t body_bytes_max;
  std::size_t part_bytes_max;
  std::size_t parts_max;
  std::size_t part_head_bytes_max;
  std::size_t spill_bytes;  // larger parts go to an unlinked file
};

// After an error nothing more may be pushed. Errors: InvalidArgument (malformed), TooLarge,
// Unavailable with code "upload_storage_full" when the temporary file cannot grow.
class MultipartParser {
 public:
  MultipartParser(std::string_view boundary, MultipartLimits limits,
                  std::filesystem::path spill_folder);
  MultipartParser(MultipartParser&&) noexcept;
  MultipartParser& operator=(MultipartParser&&) noexcept;
  ~MultipartParser();

  Result<void> push(std::string_view bytes);
  // The parts in order of arrival; an error when the last boundary has not come.
  Result<std::vector<Part>> finish();
  // What is held in memory, rather than in files.
  std::size_t memory_size() const;
  std::size_t spilled_size() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limner::http
