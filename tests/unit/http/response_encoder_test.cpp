#include "http/response_encoder.hpp"

#include <gtest/gtest.h>

namespace limner::http {
namespace {

constexpr std::time_t kDay = 784111777;  // the standard's own example

TEST(ResponseEncoder, WritesTheHead) {
  const Response response{.status = 404, .headers = {{"X-A", "1"}}, .body = "12345"};
  EXPECT_EQ(encode_head(response, {.now = kDay}),
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-A: 1\r\n"
            "Content-Length: 5\r\n\r\n");
  EXPECT_EQ(encode_head({.status = 200, .headers = {}, .body = {}},
                        {.length = AnswerLength::Chunked, .keeps_alive = false, .now = kDay}),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(
      encode_head({.status = 204, .headers = {}, .body = {}}, {.version_minor = 0, .now = kDay}),
      "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Connection: keep-alive\r\n\r\n");
  EXPECT_EQ(chunk_head(500), "1f4\r\n");
}

TEST(ResponseEncoder, RefusesFieldsThatBreakOut) {
  EXPECT_TRUE(is_sendable({{"X-A", "1"}}));
  EXPECT_FALSE(is_sendable({{"X-A", "1\r\nSet-Cookie: x"}}));
  EXPECT_FALSE(is_sendable({{"X-A\n", "1"}}));
  EXPECT_FALSE(is_sendable({{"X A", "1"}}));
  EXPECT_FALSE(is_sendable({{"", "1"}}));
  EXPECT_FALSE(is_sendable({{"content-length", "1"}}));
}

}  // namespace
}  // namespace limner::http
