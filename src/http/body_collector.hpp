// Gathers the body of one request under its route's policy.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/multipart_parser.hpp"
#include "http/request.hpp"
#include "http/request_head.hpp"
#include "http/route_table.hpp"

namespace limner::http {

class BodyCollector {
 public:
  // Judges media type, encoding and announced size, before a byte of the body is read.
  static Result<BodyCollector> make(const Request& head, const Framing& framing,
                                    const BodyPolicy& policy,
                                    const std::filesystem::path& spill_folder);

  Result<void> put(std::string_view piece);
  Result<Body> finish();
  std::size_t size() const { return size_; }
  std::size_t memory_size() const;

 private:
  BodyCollector(std::size_t bytes_max, bool is_ignored)
      : bytes_max_(bytes_max), is_ignored_(is_ignored) {}

  std::size_t bytes_max_;
  bool is_ignored_;
  std::optional<MultipartParser> form_;
  std::string bytes_;
  std::size_t size_ = 0;
};

}  // namespace limner::http
