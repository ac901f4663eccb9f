#include "http/body_collector.hpp"

#include <utility>

#include <fmt/format.h>

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

bool is_json(std::string_view media_type) {
  return media_type == "application/json" ||
         (media_type.starts_with("application/") && media_type.ends_with("+json"));
}

Error wrong_media_type(std::string_view media_type, const BodyPolicy& policy) {
  const auto* expected = !policy.takes_multipart ? "application/json"
                         : !policy.takes_json    ? "multipart/form-data"
                                                 : "application/json or multipart/form-data";
  return unsupported_media(
      fmt::format("Content-Type: got \"{}\", expected {}", media_type, expected));
}

}  // namespace

Result<BodyCollector> BodyCollector::make(const Request& head, const Framing& framing,
                                          const BodyPolicy& policy,
                                          const std::filesystem::path& spill_folder) {
  const auto encoding = head.header("Content-Encoding").value_or("identity");
  if (!equals_ignoring_case(encoding, "identity")) {
    return unsupported_media("Content-Encoding: compressed bodies are not supported");
  }
  const auto media_type = head.media_type();
  const bool has_body = !std::holds_alternative<NoBody>(framing);
  BodyCollector collector(policy.ignored_bytes_max, true);
  if (policy.takes_multipart && media_type == "multipart/form-data") {
    auto boundary = multipart_boundary(*head.header("Content-Type"));
    if (!boundary) return boundary.error();
    collector = BodyCollector(policy.multipart.body_bytes_max, false);
    collector.form_.emplace(*boundary, policy.multipart, spill_folder);
  } else if (policy.takes_json && (is_json(media_type) || !has_body)) {
    collector = BodyCollector(policy.json_bytes_max, false);
  } else if (policy.takes_json || policy.takes_multipart) {
    return wrong_media_type(media_type, policy);
  }
  const auto* sized = std::get_if<SizedBody>(&framing);
  if (sized && sized->size > collector.bytes_max_) return too_large(collector.bytes_max_);
  return collector;
}

Result<void> BodyCollector::put(std::string_view piece) {
  size_ += piece.size();
  if (size_ > bytes_max_) return too_large(bytes_max_);
  if (is_ignored_) return {};
  if (form_) return form_->push(piece);
  bytes_.append(piece);
  return {};
}

Result<Body> BodyCollector::finish() {
  if (!form_) return Body(std::move(bytes_));
  auto parts = form_->finish();
  if (!parts) return parts.error();
  return Body(std::move(*parts));
}

std::size_t BodyCollector::memory_size() const {
  return bytes_.size() + (form_ ? form_->memory_size() : 0);
}

}  // namespace limner::http
