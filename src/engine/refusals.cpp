#include "engine/refusals.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace limner::engine {
namespace {

constexpr std::chrono::seconds kMemoryRetryAfter{10};

// "6.50 GiB", "3.0 MiB": never 0.00 of a unit.
std::string size_text(std::size_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes >= std::size_t{1} << 30) return fmt::format("{:.2f} GiB", size / (1u << 30));
  if (bytes >= std::size_t{1} << 20) return fmt::format("{:.1f} MiB", size / (1u << 20));
  return fmt::format("{} bytes", bytes);
}

}  // namespace

std::chrono::seconds retry_seconds(Duration wait) {
  return std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds{1});
}

Error queue_full(std::size_t waiting, Duration wait) {
  return {.kind = ErrorKind::RateLimited,
          .message = fmt::format("the queue is full: {} requests are waiting", waiting),
          .code = "queue_full",
          .retry_after = retry_seconds(wait)};
}

Error queue_share_used(std::size_t waiting, Duration wait) {
  return {.kind = ErrorKind::RateLimited,
          .message =
              fmt::format("the queue is full for this key: {} requests of it are waiting", waiting),
          .code = "queue_full",
          .retry_after = retry_seconds(wait)};
}

Error too_much_work(Duration before_it, Duration until_room) {
  const auto expected = std::chrono::ceil<std::chrono::seconds>(before_it);
  return {.kind = ErrorKind::RateLimited,
          .message = fmt::format("the queue is full: about {} s of work would come first",
                                 expected.count()),
          .code = "queue_full",
          .retry_after = retry_seconds(until_room)};
}

Error draining(Duration retry_after) {
  return {.kind = ErrorKind::Unavailable,
          .message = "the server is shutting down and takes no new requests",
          .code = "shutting_down",
          .retry_after = retry_seconds(retry_after)};
}

Error stopped() {
  return {.kind = ErrorKind::Unavailable,
          .message = "the server shut down before the picture was finished",
          .code = "shutting_down",
          .retry_after = std::chrono::seconds{1}};
}

Error client_left() {
  return {
      .kind = ErrorKind::Cancelled, .message = "the request was cancelled", .code = "cancelled"};
}

Error model_unknown(std::string_view model) {
  return {.kind = ErrorKind::NotFound,
          .message = fmt::format("model: \"{}\" is not served here", model),
          .param = "model",
          .code = "model_not_found"};
}

Error model_loading(const ModelLoading& loading) {
  return {.kind = ErrorKind::Unavailable,
          .message = fmt::format("model: \"{}\" is loading ({})", loading.model, loading.stage),
          .param = "model",
          .code = "model_loading",
          .retry_after = retry_seconds(loading.left())};
}

Error model_failed(std::string_view model, const Error& reason, Duration retry_after) {
  auto message = fmt::format("model: \"{}\" could not be loaded", model);
  const bool is_memory = reason.code == "insufficient_memory";
  if (is_memory || reason.code == "non_finite_numbers") message += ": " + reason.message;
  return {.kind = ErrorKind::Unavailable,
          .message = std::move(message),
          .param = "model",
          .code = is_memory ? reason.code : "model_load_failed",
          .retry_after = retry_seconds(retry_after),
          .detail = reason.detail.empty() ? reason.message
                                          : fmt::format("{} ({})", reason.message, reason.detail)};
}

Error model_too_large(std::string_view model, std::size_t needed_bytes, std::size_t limit_bytes) {
  return {.kind = ErrorKind::Unavailable,
          .message =
              fmt::format("model: \"{}\" needs about {} of memory, {} are allowed (--memory-limit)",
                          model, size_text(needed_bytes), size_text(limit_bytes)),
          .param = "model",
          .code = "insufficient_memory"};
}

Error out_of_memory() {
  return {.kind = ErrorKind::Unavailable,
          .message = "there is not enough memory to paint this picture",
          .code = "insufficient_memory",
          .retry_after = kMemoryRetryAfter};
}

Error engine_failure(std::string_view detail) {
  return {.kind = ErrorKind::Internal,
          .message = "the engine failed while painting this picture",
          .code = "engine_failure",
          .detail = std::string(detail)};
}

}  // namespace limner::engine
