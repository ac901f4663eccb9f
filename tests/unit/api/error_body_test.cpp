#include "api/error_body.hpp"

#include <gmock/gmock.h>

#include "base/utf8.hpp"

namespace limner::api {
namespace {

json::object body_of(const Error& error, Dialect dialect) {
  return error_body(error, {.dialect = dialect,
                            .operation = Operation::Edit,
                            .request_id = "req_1",
                            .model_requested = "m"});
}

const Error kBadSize = invalid_value("size", "size: got \"x\"");

TEST(ErrorBody, EveryDialectHasTheObjectThatClientsRead) {
  for (const auto dialect : {Dialect::Bifrost, Dialect::OpenAi, Dialect::Ovms, Dialect::Nebula}) {
    const auto body = body_of(kBadSize, dialect);
    EXPECT_EQ(json::serialize(body.at("error")),
              R"({"message":"size: got \"x\"","type":"invalid_request_error",)"
              R"("param":"size","code":"invalid_value"})");
  }
}

TEST(ErrorBody, EachDialectAddsItsOwnMembers) {
  const auto bifrost = body_of(kBadSize, Dialect::Bifrost);
  EXPECT_EQ(bifrost.at("status_code"), 400);
  EXPECT_EQ(bifrost.at("is_bifrost_error"), true);
  EXPECT_EQ(bifrost.at("extra_fields").at("request_type"), "image_edit");
  EXPECT_EQ(body_of(kBadSize, Dialect::Ovms).size(), 1U);
  const auto nebula = body_of(kBadSize, Dialect::Nebula);
  EXPECT_EQ(nebula.at("status"), "failed");
  EXPECT_EQ(nebula.at("message"), "size: got \"x\"");
}

TEST(ErrorBody, WhatAKeyMayNotDoIsTypeAndCode) {
  const auto body = body_of({.kind = ErrorKind::PermissionDenied,
                             .message = "no",
                             .param = "model",
                             .code = "model_blocked"},
                            Dialect::Bifrost);
  EXPECT_EQ(body.at("type"), "model_blocked");
  EXPECT_EQ(body.at("error").at("type"), "model_blocked");
  EXPECT_EQ(body.at("error").at("code"), "model_blocked");
}

TEST(ErrorBody, HttpsFinerStatusesAreInTheBodyToo) {
  const std::pair<const char*, int> cases[] = {{"request_target_too_long", 414},
                                               {"expectation_failed", 417},
                                               {"request_head_too_large", 431},
                                               {"unsupported_transfer_encoding", 501},
                                               {"http_version_not_supported", 505}};
  for (const auto& [code, status] : cases) {
    const Error error{.message = "m", .code = code};
    EXPECT_EQ(error_response(error, {}).status, status);
    EXPECT_EQ(body_of(error, Dialect::Bifrost).at("status_code"), status);
  }
}

TEST(ErrorBody, IsUtf8WhateverItQuotes) {
  const Error error{.kind = ErrorKind::UnsupportedMedia,
                    .message = "got \"\xff\"",
                    .param = "\xc3",
                    .code = "a\xed\xa0\x80"};
  for (const auto dialect : {Dialect::Bifrost, Dialect::Nebula}) {
    const auto response = error_response(
        error, {.dialect = dialect, .request_id = "req_1", .model_requested = "m\xfe"});
    EXPECT_TRUE(is_valid_utf8(response.body_text())) << response.body_text();
  }
}

TEST(ErrorBody, OnlyWhatMayPassByItselfIsRetried) {
  const auto retry = [](ErrorKind kind, bool may_retry = true) {
    return error_response({.kind = kind, .message = "m"}, {.may_retry = may_retry})
        .headers.get("x-should-retry")
        .value_or("unsaid");
  };
  EXPECT_EQ(retry(ErrorKind::Unavailable), "unsaid");
  EXPECT_EQ(retry(ErrorKind::RateLimited), "unsaid");
  EXPECT_EQ(retry(ErrorKind::Internal), "false");
  EXPECT_EQ(retry(ErrorKind::Conflict), "false");
  EXPECT_EQ(retry(ErrorKind::Unavailable, false), "false");
}

TEST(ErrorBody, TellsWhenToComeBackAndHowToSignIn) {
  const auto busy = error_response(
      {.kind = ErrorKind::RateLimited, .message = "m", .retry_after = std::chrono::seconds{7}}, {});
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.headers.get("Retry-After"), "7");
  const auto unknown = error_response({.kind = ErrorKind::Unauthenticated, .message = "m"}, {});
  EXPECT_EQ(unknown.headers.get("WWW-Authenticate"), "Bearer");
}

}  // namespace
}  // namespace limner::api
