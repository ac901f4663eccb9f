// What can go wrong outside our own bugs, as a value. Our own bugs are LIMNER_CHECK (check.hpp).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace limner {

// The HTTP status of each kind is decided once, in api/error_body.cpp.
enum class ErrorKind {
  InvalidArgument,   // 400: a field is malformed or out of range
  Unauthenticated,   // 401
  PermissionDenied,  // 403
  NotFound,          // 404: model, route, image, job
  MethodNotAllowed,  // 405
  RequestTimeout,    // 408: the caller was too slow
  Conflict,          // 409
  TooLarge,          // 413
  UnsupportedMedia,  // 415
  Unsupported,       // 422: well-formed, but this model cannot do it
  RateLimited,       // 429: a queue or quota is full; see retry_after
  Cancelled,         // the caller left; never sent
  Internal,          // 500
  Unavailable,       // 503: loading, draining, out of memory
  Timeout,           // 504: a deadline of ours passed
};

struct Error {
  ErrorKind kind = ErrorKind::Internal;
  // For the client: names the field, what came, what is allowed. Never a prompt, key, path of
  // somebody else, or library text.
  std::string message;
  std::string param = {};  // the request's field, empty when none
  std::string code = {};   // machine word such as "invalid_value"; empty: the kind's default
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  std::string detail = {};  // for the log only
};

std::string_view to_string(ErrorKind kind);

// `param: message` with kind InvalidArgument, the most common error.
Error invalid_value(std::string_view param, std::string message,
                    std::string_view code = "invalid_value");

}  // namespace limner
