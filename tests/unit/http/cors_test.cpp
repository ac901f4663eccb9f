#include "http/cors.hpp"

#include "unit/http/server_fixture.hpp"

namespace limner::http {
namespace {

constexpr std::string_view kCall =
    "GET /hello HTTP/1.1\r\nHost: a\r\nOrigin: https://paint.example\r\n\r\n";
constexpr std::string_view kPreflight =
    "OPTIONS /hello HTTP/1.1\r\nHost: a\r\nOrigin: https://paint.example\r\n"
    "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x-api-key\r\n\r\n";
constexpr std::string_view kAllowed = "Access-Control-Allow-Origin: https://paint.example\r\n";

bool has(const std::string& answer, std::string_view text) {
  return answer.find(text) != answer.npos;
}

TEST_F(ServerTest, NoPageMayCallUntilOneIsNamed) {
  add("GET", "/hello", echo());
  start();
  for (const auto request : {kCall, kPreflight}) {
    const auto answer = ask(request);
    EXPECT_FALSE(has(answer, "Access-Control-Allow-Origin")) << answer;
    EXPECT_FALSE(has(answer, "Vary")) << answer;
  }
}

TEST_F(ServerTest, ANamedPageMayCallAndRead) {
  options_.cors = {.origins = {"https://other.example", "https://paint.example"},
                   .request_headers = {"Authorization", "x-api-key"},
                   .answer_headers = {"x-request-id", "Retry-After"}};
  add("GET", "/hello", echo());
  start();
  const auto preflight = ask(kPreflight);
  EXPECT_EQ(status_of(preflight), 204);
  EXPECT_TRUE(has(preflight, kAllowed)) << preflight;
  EXPECT_TRUE(has(preflight, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"));
  EXPECT_TRUE(has(preflight, "Access-Control-Allow-Headers: Authorization, x-api-key\r\n"));
  const auto answer = ask(kCall);
  EXPECT_TRUE(has(answer, kAllowed)) << answer;
  EXPECT_TRUE(has(answer, "Vary: Origin\r\n"));
  EXPECT_TRUE(has(answer, "Access-Control-Expose-Headers: x-request-id, Retry-After\r\n"));
  EXPECT_FALSE(has(answer, "Access-Control-Allow-Credentials"));
}

TEST_F(ServerTest, ErrorsCanBeReadByANamedPageToo) {
  options_.cors.origins = {"https://paint.example"};
  start();
  const auto answer = ask(kCall);
  EXPECT_EQ(status_of(answer), 404);
  EXPECT_TRUE(has(answer, kAllowed)) << answer;
}

TEST_F(ServerTest, AnotherPageLearnsNothing) {
  options_.cors.origins = {"https://paint.example.evil", "http://paint.example", "null"};
  add("GET", "/hello", echo());
  start();
  const auto answer = ask(kCall);
  EXPECT_FALSE(has(answer, "Access-Control-Allow-Origin")) << answer;
  EXPECT_TRUE(has(answer, "Vary: Origin"));
}

TEST_F(ServerTest, AStarIsEveryPage) {
  options_.cors.origins = {"*"};
  add("GET", "/hello", echo());
  start();
  EXPECT_TRUE(has(ask(kCall), "Access-Control-Allow-Origin: *\r\n"));
}

}  // namespace
}  // namespace limner::http
