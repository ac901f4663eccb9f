#include "auth/web_guard.hpp"

#include <gtest/gtest.h>

namespace limner::auth {
namespace {

http::Request head_of(http::Headers headers) {
  http::Request head;
  head.headers = std::move(headers);
  return head;
}

bool takes_host(const WebAccess& access, const std::string& host) {
  return WebGuard(access).check_host(head_of({{"Host", host}})).has_value();
}

bool takes_page(const WebAccess& access, const std::string& host, const std::string& origin) {
  return WebGuard(access).check_page(head_of({{"Host", host}, {"Origin", origin}})).has_value();
}

TEST(WebGuard, OnLoopbackOnlyLoopbackIsOurName) {
  for (const auto* bound : {"127.0.0.1", "::1", "localhost"}) {
    for (const auto* host :
         {"127.0.0.1", "127.0.0.1:8080", "127.9.8.7:1", "localhost", "LocalHost:80", "localhost.",
          "[::1]", "[::1]:8080", "[::ffff:127.0.0.1]:8080"}) {
      EXPECT_TRUE(takes_host({.bound_host = bound}, host)) << bound << " " << host;
    }
    for (const auto* host :
         {"evil.example", "evil.example:8080", "169.254.169.254", "192.168.1.5:8080",
          "127.0.0.1.evil", "localhost.evil.example", "evil", "0.0.0.0", "[fe80::1]", "[::1",
          "[::1]x", "127.1", "2130706433", "localhost:8080:1", "localhost:port", "local host"}) {
      EXPECT_FALSE(takes_host({.bound_host = bound}, host)) << bound << " " << host;
    }
  }
}

TEST(WebGuard, BeyondLoopbackDigitsAreOurName) {
  for (const auto* bound : {"0.0.0.0", "::", "192.168.1.5"}) {
    const WebAccess access{.bound_host = bound, .hosts = {"limner", "Paint.Example"}};
    for (const auto* host : {"192.168.1.5:8080", "[fd00::5]", "10.0.0.1", "localhost",
                             "limner:8080", "paint.example"}) {
      EXPECT_TRUE(takes_host(access, host)) << bound << " " << host;
    }
    for (const auto* host : {"evil.example", "limner.evil.example", "other"}) {
      EXPECT_FALSE(takes_host(access, host)) << bound << " " << host;
    }
  }
  EXPECT_TRUE(takes_host({.bound_host = "paint.lan"}, "paint.lan:8080"));
}

TEST(WebGuard, FurtherNamesAreTheOperators) {
  EXPECT_TRUE(takes_host({.public_url = "https://paint.example/images"}, "paint.example"));
  EXPECT_FALSE(takes_host({.public_url = "https://paint.example/images"}, "images"));
  EXPECT_TRUE(takes_host({.hosts = {"paint.example:8443"}}, "paint.example"));
  EXPECT_TRUE(takes_host({.hosts = {"*"}}, "evil.example"));
}

TEST(WebGuard, WhatSendsNoHostIsNoBrowser) {
  EXPECT_TRUE(WebGuard({}).check_host(head_of({})));
}

TEST(WebGuard, TheRefusalSaysWhatToDo) {
  const auto refused = WebGuard({}).check_host(head_of({{"Host", "evil.example"}}));
  ASSERT_FALSE(refused);
  for (const auto* word :
       {"evil.example", "--allowed-host", "--public-url", "limner keys create"}) {
    EXPECT_NE(refused.error().message.find(word), std::string::npos) << word;
  }
}

TEST(WebGuard, OnlyOurOwnPageMayCall) {
  EXPECT_TRUE(takes_page({}, "127.0.0.1:8080", "http://127.0.0.1:8080"));
  EXPECT_TRUE(takes_page({}, "localhost", "http://localhost"));
  EXPECT_TRUE(takes_page({}, "localhost:80", "http://localhost"));
  EXPECT_TRUE(takes_page({}, "[::1]:8080", "http://[::1]:8080"));
  for (const auto* origin :
       {"https://evil.example", "null", "", "http://127.0.0.1:3000", "http://localhost:8080",
        "http://127.0.0.1", "http://127.0.0.1:8080.evil.example", "file://", "127.0.0.1:8080"}) {
    EXPECT_FALSE(takes_page({}, "127.0.0.1:8080", origin)) << origin;
  }
}

TEST(WebGuard, NamedPagesMayCall) {
  const WebAccess named{.public_url = "https://paint.example", .origins = {"https://app.example"}};
  EXPECT_TRUE(takes_page(named, "127.0.0.1:8080", "https://app.example"));
  EXPECT_TRUE(takes_page(named, "127.0.0.1:8080", "https://paint.example"));
  EXPECT_TRUE(takes_page(named, "paint.example", "https://paint.example"));
  EXPECT_FALSE(takes_page(named, "127.0.0.1:8080", "https://app.example.evil"));
  EXPECT_FALSE(takes_page(named, "127.0.0.1:8080", "http://app.example"));
  EXPECT_TRUE(takes_page({.origins = {"*"}}, "localhost", "null"));
}

TEST(WebGuard, PicturesAndFormsOfOtherPagesComeWithoutOrigin) {
  const auto check = [](const std::string& site) {
    return WebGuard({})
        .check_page(head_of({{"Host", "localhost"}, {"Sec-Fetch-Site", site}}))
        .has_value();
  };
  EXPECT_FALSE(check("cross-site"));
  EXPECT_TRUE(check("same-origin"));
  EXPECT_TRUE(check("none"));
  EXPECT_TRUE(WebGuard({}).check_page(head_of({{"Host", "localhost"}}))) << "curl and the SDKs";
}

}  // namespace
}  // namespace limner::auth
