#include "auth/credentials.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"

namespace limner::auth {
namespace {

using namespace std::string_literals;

std::string basic(const std::string& text) {
  return "Basic " +
         base64_encode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// The keys in their order, "?" behind them when there is an unreadable one; or the error's code.
std::string read(const http::Headers& headers) {
  const auto shown = read_credentials(headers);
  if (!shown) return shown.error().code;
  std::string text;
  for (const auto& key : shown->keys) text += key + " ";
  return text + (shown->has_unreadable ? "?" : "");
}

TEST(Credentials, ComeInAnyOfFiveFields) {
  for (const auto* name : {"x-bf-vk", "X-Api-Key", "api-key", "x-goog-api-key"}) {
    EXPECT_EQ(read({{name, "ik-1"}}), "ik-1 ") << name;
  }
  EXPECT_EQ(read({{"Authorization", "Bearer ik-1"}}), "ik-1 ");
  EXPECT_EQ(read({{"authorization", "bearer  ik-1 "}}), "ik-1 ");
  EXPECT_EQ(read({}), "");
  EXPECT_EQ(read({{"x-api-key", "  "}}), "") << "an empty field is none";
}

TEST(Credentials, BasicGivesThePasswordOrTheUser) {
  EXPECT_EQ(read({{"Authorization", basic("user:ik-1")}}), "ik-1 ");
  EXPECT_EQ(read({{"Authorization", basic("ik-1:")}}), "ik-1 ");
  EXPECT_EQ(read({{"Authorization", basic("user:a:b")}}), "a:b ");
  EXPECT_EQ(read({{"Authorization", basic("user:ik-1")}, {"x-bf-vk", "ik-2"}}), "ik-2 ik-1 ");
}

TEST(Credentials, TheSameKeyTwiceIsOneKey) {
  EXPECT_EQ(read({{"Authorization", "Bearer ik-1"}, {"api-key", "ik-1"}, {"x-bf-vk", "ik-1"}}),
            "ik-1 ");
}

TEST(Credentials, AllThatAreShownAreTaken) {
  EXPECT_EQ(read({{"x-goog-api-key", "5"},
                  {"api-key", "4"},
                  {"x-api-key", "3"},
                  {"Authorization", "Bearer 2"},
                  {"x-bf-vk", "1"}}),
            "1 2 3 4 5 ");
  http::Headers many;
  for (int i = 0; i < 9; ++i) many.add("x-api-key", std::to_string(i));
  EXPECT_EQ(read(many), "conflicting_credentials") << "each costs a look into the store";
}

TEST(Credentials, AnAuthorizationThatShowsNothingIsMarked) {
  for (const auto& value : {"Bearer"s, "Bearer "s, ""s, "ik-1"s, "Digest username=x"s, "Basic !!!"s,
                            basic("no colon"), basic(":"), "Basic"s}) {
    EXPECT_EQ(read({{"Authorization", value}}), "?") << value;
    EXPECT_EQ(read({{"Authorization", value}, {"api-key", "ik-1"}}), "ik-1 ?") << value;
  }
}

}  // namespace
}  // namespace limner::auth
