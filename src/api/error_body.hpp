// Error → answer. The one place where kinds of errors become statuses, types and codes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/dialect.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "core/generation.hpp"
#include "http/response.hpp"

namespace limner::api {

struct ErrorContext {
  Dialect dialect = Dialect::Bifrost;
  std::optional<Operation> operation = std::nullopt;  // absent: no request for pictures
  std::string request_id = {};
  std::string model_requested = {};
  // False after a long generation: a retry would cost as much again.
  bool may_retry = true;
  // Of the model that the request is for, when that is why it is refused.
  std::optional<ModelLoading> loading = std::nullopt;
};

// The refusal of a worker pool that is full.
Error too_many_uploads();

int status_of(const Error& error);
// {"message", "type", "param", "code"}, the object that OpenAI's clients read.
json::object error_object(const Error& error);
// {"model", "stage", "elapsed_seconds", "expected_seconds"}: how far a load has come.
json::object loading_object(const ModelLoading& loading);
// The whole body: `error`, and the members that the dialect adds.
json::object error_body(const Error& error, const ErrorContext& context);
// With Retry-After, x-should-retry and x-request-id.
http::Response error_response(const Error& error, const ErrorContext& context);

}  // namespace limner::api
