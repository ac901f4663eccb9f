#include "api/error_body.hpp"

#include <array>

#include "base/utf8.hpp"
#include "http/request_head.hpp"

namespace limner::api {
namespace {

struct KindRow {
  ErrorKind kind;
  int status;
  std::string_view type;
  std::string_view code;  // when the error has none of its own
};

constexpr std::array kKinds = {
    KindRow{ErrorKind::InvalidArgument, 400, "invalid_request_error", "invalid_value"},
    KindRow{ErrorKind::Unauthenticated, 401, "invalid_request_error", "invalid_api_key"},
    KindRow{ErrorKind::PermissionDenied, 403, "invalid_request_error", "permission_denied"},
    KindRow{ErrorKind::NotFound, 404, "invalid_request_error", "not_found"},
    KindRow{ErrorKind::MethodNotAllowed, 405, "invalid_request_error", "method_not_allowed"},
    KindRow{ErrorKind::RequestTimeout, 408, "invalid_request_error", "request_timeout"},
    KindRow{ErrorKind::Conflict, 409, "invalid_request_error", "conflict"},
    KindRow{ErrorKind::TooLarge, 413, "invalid_request_error", "request_too_large"},
    KindRow{ErrorKind::UnsupportedMedia, 415, "invalid_request_error", "unsupported_content_type"},
    KindRow{ErrorKind::Unsupported, 422, "invalid_request_error", "unsupported_for_model"},
    KindRow{ErrorKind::RateLimited, 429, "rate_limit_error", "rate_limit_exceeded"},
    // A request that was cancelled by its id while its client still listens.
    KindRow{ErrorKind::Cancelled, 409, "invalid_request_error", "cancelled"},
    KindRow{ErrorKind::Internal, 500, "server_error", "internal_error"},
    KindRow{ErrorKind::Unavailable, 503, "server_error", "overloaded"},
    KindRow{ErrorKind::Timeout, 504, "timeout_error", "timeout"},
};

const KindRow& row_of(ErrorKind kind) {
  for (const auto& row : kKinds) {
    if (row.kind == kind) return row;
  }
  return kKinds[12];
}

std::string_view type_of(const Error& error) {
  if (error.code == "moderation_blocked") return "image_generation_user_error";
  // What a key may not do is its own type there: "model_blocked", "access_blocked".
  if (error.kind == ErrorKind::PermissionDenied && !error.code.empty()) return error.code;
  return row_of(error.kind).type;
}

json::value text_or_null(std::string_view text) {
  if (text.empty()) return nullptr;
  return json::string(to_valid_utf8(text));
}

// What the official clients would do wrong by their own rule: they retry 409 and 5xx.
bool must_not_retry(const Error& error, bool may_retry) {
  if (!may_retry) return true;
  return error.kind == ErrorKind::Conflict || error.kind == ErrorKind::Cancelled ||
         error.kind == ErrorKind::Internal;
}

}  // namespace

Error too_many_uploads() {
  return {.kind = ErrorKind::Unavailable,
          .message = "too many uploads are being read",
          .retry_after = std::chrono::seconds{1}};
}

int status_of(const Error& error) {
  return http::finer_status(error).value_or(row_of(error.kind).status);
}

json::object error_object(const Error& error) {
  const auto& row = row_of(error.kind);
  return {
      // It may quote bytes of the request.
      {"message", to_valid_utf8(error.message)},
      {"type", json::string_view(type_of(error).data(), type_of(error).size())},
      {"param", text_or_null(error.param)},
      {"code", text_or_null(error.code.empty() ? row.code : std::string_view(error.code))},
  };
}

json::object loading_object(const ModelLoading& loading) {
  const auto seconds = [](std::chrono::milliseconds time) {
    return static_cast<double>(time.count()) / 1000;
  };
  return {{"model", loading.model},
          {"stage", loading.stage},
          {"elapsed_seconds", seconds(loading.elapsed)},
          {"expected_seconds", seconds(loading.expected)}};
}

json::object error_body(const Error& error, const ErrorContext& context) {
  const auto& rules = rules_of(context.dialect);
  json::object body = {{"error", error_object(error)}};
  if (context.loading) body["loading"] = loading_object(*context.loading);
  if (rules.has_bifrost_error_members) {
    body["is_bifrost_error"] = true;
    body["status_code"] = status_of(error);
    body["type"] = error.kind == ErrorKind::Unauthenticated ? json::value("virtual_key_required")
                                                            : body["error"].get_object()["type"];
    json::object extra = {{"provider", "local"},
                          {"model_requested", to_valid_utf8(context.model_requested)}};
    if (context.operation) {
      const auto request_type = to_string(*context.operation);
      extra["request_type"] = json::string_view(request_type.data(), request_type.size());
    }
    extra["request_id"] = context.request_id;
    body["extra_fields"] = std::move(extra);
  }
  if (rules.has_nebula_error_members) {
    body["message"] = to_valid_utf8(error.message);
    body["status"] = "failed";
  }
  return body;
}

http::Response error_response(const Error& error, const ErrorContext& context) {
  http::Response response{.status = status_of(error),
                          .headers = {{"Content-Type", "application/json"},
                                      {"Cache-Control", "no-store"},
                                      {"x-request-id", context.request_id}},
                          .body = json::serialize(error_body(error, context))};
  if (error.retry_after) {
    response.headers.add("Retry-After", std::to_string(error.retry_after->count()));
  }
  if (response.status == 401) {
    response.headers.add("WWW-Authenticate", "Bearer");
    response.headers.add("WWW-Authenticate", "Basic realm=\"limner\", charset=\"UTF-8\"");
  }
  if (must_not_retry(error, context.may_retry)) response.headers.add("x-should-retry", "false");
  return response;
}

}  // namespace limner::api
