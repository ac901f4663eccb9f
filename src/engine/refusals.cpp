#include "engine/refusals.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace limner::engine {
namespace {

double gibibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1u << 30);
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
  return {.kind = ErrorKind::Unavailable,
          .message = fmt::format("model: \"{}\" could not be loaded", model),
          .param = "model",
          .code = "model_load_failed",
          .retry_after = retry_seconds(retry_after),
          .detail = reason.detail.empty() ? reason.message
                                          : fmt::format("{} ({})", reason.message, reason.detail)};
}

Error model_too_large(std::string_view model, std::size_t needed_bytes, std::size_t limit_bytes) {
  return {.kind = ErrorKind::Unavailable,
          .message = fmt::format("model: \"{}\" needs about {:.2f} GiB of memory, {:.2f} GiB are "
                                 "allowed (--memory-limit)",
                                 model, gibibytes(needed_bytes), gibibytes(limit_bytes)),
          .param = "model",
          .code = "insufficient_memory"};
}

Error engine_failure(std::string_view detail) {
  return {.kind = ErrorKind::Internal,
          .message = "the engine failed while painting this picture",
          .code = "engine_failure",
          .detail = std::string(detail)};
}

}  // namespace limner::engine
