#include "auth/authenticator.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"
#include "support/temp_dir.hpp"

namespace limner::auth {
namespace {

using namespace std::string_literals;
using std::chrono::seconds;

class AuthenticatorTest : public ::testing::Test {
 protected:
  AuthenticatorTest() : store_(std::move(*KeyStore::open(folder_ / "keys.db", clock_))) {}

  // The principal's id, or the error's code.
  std::string ask(const Authenticator& authenticator, const http::Headers& headers) {
    const auto principal = authenticator.authenticate(headers);
    return principal ? principal->id : principal.error().code;
  }
  static http::Headers bearer(const std::string& key) {
    return {{"Authorization", "Bearer " + key}};
  }

  TempDir folder_;
  test::ManualClock clock_;
  std::shared_ptr<KeyStore> store_;
};

TEST_F(AuthenticatorTest, IsOpenOnlyUntilThereIsAKey) {
  EXPECT_EQ(ask(Authenticator({}, nullptr, clock_), bearer("anything")), "anonymous");
  const Authenticator authenticator({}, store_, clock_);
  EXPECT_EQ(ask(authenticator, {}), "anonymous");
  const auto key = store_->create({.name = "first"});
  EXPECT_EQ(ask(authenticator, {}), "invalid_api_key");
  EXPECT_EQ(ask(authenticator, bearer(key->secret)), key->record.id);
  ASSERT_TRUE(store_->revoke(key->record.id));
  EXPECT_EQ(ask(authenticator, {}), "invalid_api_key") << "revoking the last key opens nothing";
}

TEST_F(AuthenticatorTest, KnowsConfiguredKeysAndStoredOnes) {
  const auto stored = store_->create({.name = "stored", .models = {"sd15"}});
  const Authenticator authenticator({"alpha", "beta"}, store_, clock_);
  const auto alpha = ask(authenticator, bearer("alpha"));
  const auto beta = ask(authenticator, {{"api-key", "beta"}});
  EXPECT_TRUE(alpha.starts_with("config_"));
  EXPECT_TRUE(beta.starts_with("config_"));
  EXPECT_NE(alpha, beta);
  EXPECT_EQ(ask(authenticator, {{"x-bf-vk", stored->secret}}), stored->record.id);
  const auto principal = authenticator.authenticate(bearer(stored->secret));
  EXPECT_TRUE(principal->check_model("sd15"));
  EXPECT_EQ(principal->check_model("sdxl").error().code, "model_blocked");
  EXPECT_TRUE(authenticator.authenticate(bearer("alpha"))->check_model("sdxl"));
}

TEST_F(AuthenticatorTest, RefusesRevokedAndExpiredKeys) {
  const auto revoked = store_->create({});
  const auto expiring = store_->create({.expires_in = seconds(10)});
  const Authenticator authenticator({}, store_, clock_);
  EXPECT_EQ(ask(authenticator, bearer(expiring->secret)), expiring->record.id);
  ASSERT_TRUE(store_->revoke(revoked->record.id));
  clock_.advance(seconds(10));
  EXPECT_EQ(ask(authenticator, bearer(revoked->secret)), "access_blocked");
  EXPECT_EQ(ask(authenticator, bearer(expiring->secret)), "access_blocked");
}

TEST_F(AuthenticatorTest, ABadKeyBesideAGoodOneDoesNotPass) {
  const Authenticator authenticator({"alpha", "beta"}, nullptr, clock_);
  EXPECT_EQ(ask(authenticator, {{"Authorization", "Bearer alpha"}, {"x-bf-vk", "bad"}}),
            "conflicting_credentials");
  // base64 of "u:bad", "u:beta"
  EXPECT_EQ(ask(authenticator, {{"Authorization", "Basic dTpiYWQ="}, {"x-bf-vk", "alpha"}}),
            "invalid_api_key");
  EXPECT_EQ(ask(authenticator, {{"Authorization", "Basic dTpiZXRh"}, {"x-bf-vk", "alpha"}}),
            ask(authenticator, bearer("alpha")));
  EXPECT_EQ(ask(authenticator, {{"Authorization", "Basic dTpiZXRh"}}),
            ask(authenticator, bearer("beta")));
}

TEST_F(AuthenticatorTest, RefusesHostileKeys) {
  ASSERT_TRUE(store_->create({}));
  const Authenticator authenticator({"alpha"}, store_, clock_);
  for (const auto& key : {"' OR 1=1--"s, std::string(1u << 20, 'k'), "alpha\0"s, "alph"s, "alphaa"s,
                          "ALPHA"s, "\xff"s}) {
    const auto principal = authenticator.authenticate({{"x-api-key", key}});
    ASSERT_FALSE(principal);
    EXPECT_EQ(principal.error().code, "invalid_api_key");
    EXPECT_EQ(principal.error().message.find(key), std::string::npos) << "no key in a message";
  }
}

TEST_F(AuthenticatorTest, TheHookAnswersOrHandsOnThePrincipal) {
  const auto hook = make_head_hook(
      std::make_shared<Authenticator>(std::vector<std::string>{"alpha"}, nullptr, clock_),
      [](const Error& error, const http::Request&) {
        return http::Response{.status = 401, .headers = {}, .body = error.code};
      });
  http::Request head;
  EXPECT_EQ(std::get<http::Response>(hook(head)).body_text(), "invalid_api_key");
  head.headers = bearer("alpha");
  const auto decision = hook(head);
  EXPECT_EQ(std::any_cast<Principal>(std::get<http::Admitted>(decision).context).name,
            "configured key");
}

TEST(Exposure, WithoutKeysOnlyLoopbackIsServed) {
  for (const auto* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) {
    EXPECT_TRUE(check_exposure(host, false, false)) << host;
  }
  for (const auto* host : {"0.0.0.0", "::", "192.168.1.5", "127.example.com", "example.com", ""}) {
    EXPECT_FALSE(check_exposure(host, false, false)) << host;
    EXPECT_TRUE(check_exposure(host, true, false)) << host;
    EXPECT_TRUE(check_exposure(host, false, true)) << host;
  }
}

}  // namespace
}  // namespace limner::auth
