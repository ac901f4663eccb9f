#include "api/base_url.hpp"

#include <gtest/gtest.h>

namespace limner::api {
namespace {

std::string url_of(const std::string& peer, http::Headers headers, const OwnAddress& own = {}) {
  http::Request request;
  request.remote_address = peer;
  request.headers = std::move(headers);
  return base_url_of(request, own);
}

TEST(BaseUrl, IsTheConfiguredOneOrTheHostThatWasAsked) {
  EXPECT_EQ(url_of("10.0.0.1", {{"Host", "paint:8080"}}), "http://paint:8080");
  EXPECT_EQ(url_of("10.0.0.1", {}), "http://localhost");
  EXPECT_EQ(url_of("127.0.0.1", {{"Host", "a"}, {"X-Forwarded-Proto", "https"}},
                   {.public_url = "https://paint.example/sub"}),
            "https://paint.example/sub");
}

TEST(BaseUrl, AProxyOnThisMachineIsBelieved) {
  for (const auto* peer : {"127.0.0.1", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(url_of(peer, {{"Host", "a"}, {"X-Forwarded-Proto", "https"}}), "https://a") << peer;
    EXPECT_EQ(url_of(peer, {{"Host", "a"}, {"X-Forwarded-Proto", "HTTPS , http"}}), "https://a");
    EXPECT_EQ(url_of(peer, {{"Host", "a"}, {"X-Forwarded-Proto", "ftp"}}), "http://a");
  }
  EXPECT_EQ(url_of("192.168.1.5", {{"Host", "a"}, {"X-Forwarded-Proto", "https"}}), "http://a");
}

TEST(BaseUrl, AForwardedHostMustBeOurs) {
  const OwnAddress own{.public_url = {}, .is_own_host = [](std::string_view host) {
                         return host == "paint.example";
                       }};
  const auto forwarded = [&](const std::string& peer, const std::string& host) {
    return url_of(peer, {{"Host", "a"}, {"X-Forwarded-Host", host}}, own);
  };
  EXPECT_EQ(forwarded("127.0.0.1", "paint.example"), "http://paint.example");
  EXPECT_EQ(forwarded("127.0.0.1", "paint.example, inner"), "http://paint.example");
  EXPECT_EQ(forwarded("127.0.0.1", "evil.example"), "http://a");
  EXPECT_EQ(forwarded("192.168.1.5", "paint.example"), "http://a");
}

}  // namespace
}  // namespace limner::api
