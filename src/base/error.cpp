#include "base/error.hpp"

#include <utility>

namespace limner {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidArgument:
      return "invalid_argument";
    case ErrorKind::Unauthenticated:
      return "unauthenticated";
    case ErrorKind::PermissionDenied:
      return "permission_denied";
    case ErrorKind::NotFound:
      return "not_found";
    case ErrorKind::MethodNotAllowed:
      return "method_not_allowed";
    case ErrorKind::RequestTimeout:
      return "request_timeout";
    case ErrorKind::Conflict:
      return "conflict";
    case ErrorKind::TooLarge:
      return "too_large";
    case ErrorKind::UnsupportedMedia:
      return "unsupported_media";
    case ErrorKind::Unsupported:
      return "unsupported";
    case ErrorKind::RateLimited:
      return "rate_limited";
    case ErrorKind::Cancelled:
      return "cancelled";
    case ErrorKind::Internal:
      return "internal";
    case ErrorKind::Unavailable:
      return "unavailable";
    case ErrorKind::Timeout:
      return "timeout";
  }
  return "unknown";
}

Error invalid_value(std::string_view param, std::string message, std::string_view code) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = std::move(message),
          .param = std::string(param),
          .code = std::string(code)};
}

}  // namespace limner
