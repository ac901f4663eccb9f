#include "http/body_collector.hpp"

#include <new>
#include <utility>

#include <fmt/format.h>

#include "base/printable.hpp"
#include "base/text.hpp"
#include "http/multipart_head.hpp"

namespace limner::http {
namespace {

Error too_large(std::size_t bytes_max) {
  return {.kind = ErrorKind::TooLarge,
          .message = fmt::format("the body has more than {} bytes", bytes_max),
          .code = "request_too_large"};
}

Error unsupported_media(std::string message) {
  return {.kind = ErrorKind::UnsupportedMedia,
          .message = std::move(message),
          .code = "unsupported_content_type"};
}

Error overloaded(std::string message) {
  return {.kind = ErrorKind::Unavailable,
          .message = std::move(message),
          .code = "overloaded",
          .retry_after = std::chrono::seconds(5)};
}

bool is_json(std::string_view media_type) {
  return media_type == "application/json" ||
         (media_type.starts_with("application/") && media_type.ends_with("+json"));
}

Error wrong_media_type(std::string_view media_type, const BodyPolicy& policy) {
  const auto* expected = !policy.takes_multipart ? "application/json"
                         : !policy.takes_json    ? "multipart/form-data"
                                                 : "application/json or multipart/form-data";
  constexpr std::size_t kShownBytes = 100;
  return unsupported_media(fmt::format("Content-Type: got \"{}\", expected {}",
                                       printable(media_type, kShownBytes), expected));
}

}  // namespace

Result<BodyCollector> BodyCollector::make(const Request& head, const Framing& framing,
                                          const BodyPolicy& policy,
                                          const std::filesystem::path& spill_folder,
                                          BodyLease lease) {
  const auto encoding = head.header("Content-Encoding").value_or("identity");
  if (!equals_ignoring_case(encoding, "identity")) {
    return unsupported_media("Content-Encoding: compressed bodies are not supported");
  }
  const auto media_type = head.media_type();
  const bool has_body = !std::holds_alternative<NoBody>(framing);
  BodyCollector collector(std::move(lease));
  if (policy.takes_multipart && media_type == "multipart/form-data") {
    auto boundary = multipart_boundary(*head.header("Content-Type"));
    if (!boundary) return boundary.error();
    collector.bytes_max_ = policy.multipart.body_bytes_max;
    collector.form_.emplace(*boundary, policy.multipart, spill_folder);
  } else if (policy.takes_json && (is_json(media_type) || !has_body)) {
    collector.bytes_max_ = policy.json_bytes_max;
  } else if (policy.takes_json || policy.takes_multipart) {
    return wrong_media_type(media_type, policy);
  } else {
    collector.bytes_max_ = policy.ignored_bytes_max;
    collector.is_ignored_ = true;
  }
  if (const auto* sized = std::get_if<SizedBody>(&framing)) {
    if (auto fits = collector.announce(sized->size); !fits) return fits.error();
  }
  return collector;
}

Result<void> BodyCollector::announce(std::uint64_t size) {
  if (size > bytes_max_ - size_) return too_large(bytes_max_);
  return {};
}

Result<void> BodyCollector::put(std::string_view piece) {
  if (auto fits = announce(piece.size()); !fits) return fits;
  size_ += piece.size();
  if (is_ignored_) return {};
  if (auto stored = store(piece); !stored) return stored;
  const std::size_t memory = bytes_.size() + (form_ ? form_->memory_size() : 0);
  if (lease_.resize(memory, form_ ? form_->spilled_size() : 0)) return {};
  return overloaded("the server is receiving too many large requests, try again");
}

Result<void> BodyCollector::store(std::string_view piece) {
  try {
    if (form_) return form_->push(piece);
    bytes_.append(piece);
    return {};
  } catch (const std::bad_alloc&) {
    return overloaded("the server has no memory for this request, try again");
  }
}

Result<Body> BodyCollector::finish() {
  if (!form_) return Body(std::move(bytes_));
  auto parts = form_->finish();
  if (!parts) return parts.error();
  return Body(std::move(*parts));
}

}  // namespace limner::http
