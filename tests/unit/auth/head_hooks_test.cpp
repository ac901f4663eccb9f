#include "auth/head_hooks.hpp"

#include <any>

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace limner::auth {
namespace {

class HeadHooksTest : public ::testing::Test {
 protected:
  HeadHooks make(const std::vector<std::string>& keys, WebAccess access = {},
                 bool paints_by_get = false) {
    return make_head_hooks({.authenticator = std::make_shared<Authenticator>(keys, nullptr, clock_),
                            .web = std::make_shared<WebGuard>(std::move(access)),
                            .paints_by_get = paints_by_get},
                           [](const Error& error, const http::Request&) {
                             return http::Response{
                                 .status = 403, .headers = {}, .body = error.code};
                           });
  }
  // The principal's id, "passed" for none, or the error's code.
  static std::string ask(const http::HeadHook& hook, http::Headers headers) {
    http::Request head;
    head.headers = std::move(headers);
    const auto decision = hook(head);
    if (const auto* answer = std::get_if<http::Response>(&decision)) return answer->body;
    const auto* principal = std::any_cast<Principal>(&std::get<std::any>(decision));
    return principal ? principal->id : "passed";
  }
  static http::Headers to(const std::string& host, http::Headers more = {}) {
    more.add("Host", host);
    return more;
  }

  test::ManualClock clock_;
};

TEST_F(HeadHooksTest, TheHookAnswersOrHandsOnThePrincipal) {
  const auto hooks = make({"alpha"});
  EXPECT_EQ(ask(hooks.authenticate, to("paint.example")), "invalid_api_key");
  EXPECT_TRUE(ask(hooks.authenticate, to("paint.example", {{"x-api-key", "alpha"}}))
                  .starts_with("config_"));
}

TEST_F(HeadHooksTest, WithoutKeysForeignPagesAndNamesAreRefused) {
  const auto hooks = make({});
  EXPECT_EQ(ask(hooks.authenticate, to("127.0.0.1:8080")), "anonymous");
  EXPECT_EQ(ask(hooks.authenticate, to("evil.example")), "host_not_allowed");
  EXPECT_EQ(ask(hooks.check_host, to("evil.example")), "host_not_allowed");
  EXPECT_EQ(ask(hooks.check_host, to("localhost")), "passed");
  EXPECT_EQ(ask(hooks.authenticate, to("localhost", {{"Origin", "https://evil.example"}})),
            "origin_not_allowed");
  EXPECT_EQ(ask(hooks.authenticate, to("localhost", {{"Sec-Fetch-Site", "cross-site"}})),
            "origin_not_allowed");
}

TEST_F(HeadHooksTest, WithKeysTheKeyDecides) {
  const auto hooks = make({"alpha"});
  for (const auto& head : {to("evil.example", {{"x-api-key", "alpha"}}),
                           to("a", {{"x-api-key", "alpha"}, {"Origin", "https://evil.example"}}),
                           to("a", {{"x-api-key", "alpha"}, {"Sec-Fetch-Site", "cross-site"}})}) {
    EXPECT_TRUE(ask(hooks.authenticate, head).starts_with("config_"));
    EXPECT_TRUE(ask(hooks.authenticate_get, head).starts_with("config_"));
  }
  EXPECT_EQ(ask(hooks.check_host, to("evil.example")), "passed");
}

TEST_F(HeadHooksTest, ARememberedPasswordIsOfNoUseToOtherPages) {
  const auto hooks = make({"alpha"});
  const http::Headers remembered = {{"Authorization", "Basic dTphbHBoYQ=="}};  // u:alpha
  EXPECT_TRUE(ask(hooks.authenticate_get, to("a", remembered)).starts_with("config_"));
  auto by_page = remembered;
  by_page.add("Sec-Fetch-Site", "cross-site");
  EXPECT_EQ(ask(hooks.authenticate_get, to("a", by_page)), "origin_not_allowed");
}

TEST_F(HeadHooksTest, GetPaintsOnlyWithAKeyOrWhereItIsAllowed) {
  EXPECT_EQ(ask(make({}).authenticate_get, to("localhost")), "get_not_allowed");
  EXPECT_EQ(ask(make({}).authenticate_get, to("localhost", {{"Authorization", "Bearer {KEY}"}})),
            "anonymous");
  EXPECT_EQ(ask(make({}, {}, true).authenticate_get, to("localhost")), "anonymous");
  EXPECT_EQ(ask(make({}, {}, true).authenticate_get, to("evil.example")), "host_not_allowed");
  EXPECT_EQ(ask(make({"alpha"}).authenticate_get, to("localhost")), "invalid_api_key");
}

}  // namespace
}  // namespace limner::auth
