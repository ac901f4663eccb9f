#include "api/fallback_rule.hpp"

namespace limner::api {

bool may_fall_back(const Error& error) {
  switch (error.kind) {
    case ErrorKind::NotFound:
      return error.code == "model_not_found";
    case ErrorKind::Unavailable:
      return error.code != "shutting_down";
    case ErrorKind::RequestTimeout:
    case ErrorKind::Conflict:
    case ErrorKind::RateLimited:
    case ErrorKind::Internal:
    case ErrorKind::Timeout:
      return true;
    case ErrorKind::InvalidArgument:
    case ErrorKind::Unauthenticated:
    case ErrorKind::PermissionDenied:
    case ErrorKind::MethodNotAllowed:
    case ErrorKind::TooLarge:
    case ErrorKind::UnsupportedMedia:
    case ErrorKind::Unsupported:
    case ErrorKind::Cancelled:
      return false;
  }
  return false;
}

}  // namespace limner::api
