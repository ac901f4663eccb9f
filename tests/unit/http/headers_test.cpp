#include "http/headers.hpp"

#include <gtest/gtest.h>

namespace limner::http {
namespace {

TEST(Headers, CompareNamesWithoutCaseAndKeepTheOrder) {
  Headers headers{{"X-One", "1"}, {"x-two", "2"}};
  headers.add("X-ONE", "3");
  EXPECT_EQ(headers.get("x-one"), "1");
  EXPECT_EQ(headers.get_all("X-one"), (std::vector<std::string_view>{"1", "3"}));
  EXPECT_FALSE(headers.get("X-Three").has_value());
  headers.set("x-one", "4");
  EXPECT_EQ(headers.count("X-One"), 1u);
  EXPECT_EQ(headers.size(), 2u);
}

TEST(Headers, FindATokenInAnyOfSeveralLists) {
  const Headers headers{{"Connection", "Upgrade, \tKeep-Alive"}, {"connection", "close"}};
  EXPECT_TRUE(headers.has_token("Connection", "keep-alive"));
  EXPECT_TRUE(headers.has_token("Connection", "CLOSE"));
  EXPECT_FALSE(headers.has_token("Connection", "alive"));
  EXPECT_FALSE(headers.has_token("Connection", ""));
}

}  // namespace
}  // namespace limner::http
