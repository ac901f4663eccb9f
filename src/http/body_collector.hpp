// Gathers the body of one request under its route's policy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "http/body_budget.hpp"
#include "http/multipart_parser.hpp"
#include "http/request.hpp"
#include "http/request_head.hpp"
#include "http/route_table.hpp"

namespace limner::http {

class BodyCollector final : public RequestParser::BodySink {
 public:
  // Judges media type, encoding and announced size, before a byte of the body is read.
  static Result<BodyCollector> make(const Request& head, const Framing& framing,
                                    const BodyPolicy& policy,
                                    const std::filesystem::path& spill_folder, BodyLease lease);

  Result<void> announce(std::uint64_t size) override;
  // Also an error when there is no room for it beside the bodies of others.
  Result<void> put(std::string_view piece) override;
  std::size_t size() const override { return size_; }
  Result<Body> finish();
  // To be held as long as the finished body.
  BodyLease take_lease() { return std::move(lease_); }

 private:
  explicit BodyCollector(BodyLease lease) : lease_(std::move(lease)) {}
  Result<void> store(std::string_view piece);

  BodyLease lease_;
  std::size_t bytes_max_ = 0;
  bool is_ignored_ = false;
  std::optional<MultipartParser> form_;
  std::string bytes_;
  std::size_t size_ = 0;
};

}  // namespace limner::http
