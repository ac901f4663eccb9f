#include "http/url.hpp"

#include <gtest/gtest.h>

namespace limner::http {
namespace {

using namespace std::string_literals;

std::string code_of(std::string_view target) {
  const auto parsed = parse_target(target);
  return parsed ? "ok: " + parsed->path : parsed.error().code;
}

TEST(Target, SplitsPathAndQueryAndDecodesBoth) {
  const auto target = parse_target("/v1/models/a%20b+c?x=1%2B2&y=a+b&flag&=z&&x=3");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/v1/models/a b+c");
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "models", "a b+c"}));
  ASSERT_EQ(target->query.size(), 5u);
  EXPECT_EQ(target->query[0].value, "1+2");
  EXPECT_EQ(target->query[1].value, "a b");
  EXPECT_EQ(target->query[2].name, "flag");
  EXPECT_EQ(target->query[2].value, "");
  EXPECT_EQ(target->query[3].name, "");
  EXPECT_EQ(target->query[4].value, "3");
}

TEST(Target, AnEncodedSlashStaysInsideItsSegment) {
  const auto target = parse_target("/v1/models/org%2Fname");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "models", "org/name"}));
}

TEST(Target, SkipsEmptySegments) {
  EXPECT_EQ(code_of("/v1//models/"), "ok: /v1/models");
  EXPECT_EQ(code_of("/"), "ok: /");
  EXPECT_EQ(code_of("//"), "ok: /");
}

TEST(Target, TakesAbsoluteFormAndAsterisk) {
  EXPECT_EQ(code_of("http://example.com:8080/v1/models?x=1"), "ok: /v1/models");
  EXPECT_EQ(code_of("HTTPS://example.com"), "ok: /");
  EXPECT_EQ(code_of("*"), "ok: *");
}

TEST(Target, RefusesWaysUpWrongEscapesAndOtherForms) {
  for (const auto* target : {"/..",
                             "/a/../b",
                             "/a/.",
                             "/%2e%2e/b",
                             "/a%2F..%2Fb",
                             "/a%5c..%5cb",
                             "/.%2e",
                             "/a%00b",
                             "/a%",
                             "/a%4",
                             "/a%zz",
                             "/a%4g",
                             "/%c0%af",
                             "/%c0%ae%c0%ae",
                             "/%ed%a0%80",
                             "/%f5%80%80%80",
                             "/%e0%80%af",
                             "/%f0%80%80%af",
                             "/%ff",
                             "/a?q=%00",
                             "/a?q=%",
                             "/a#b",
                             "",
                             "a/b",
                             "example.com:443",
                             "ftp://host/a",
                             "http://",
                             "http:///a",
                             "/%80",
                             "/%e2%82"}) {
    EXPECT_EQ(code_of(target), "invalid_request_target") << target;
  }
}

}  // namespace
}  // namespace limner::http
