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

// "key/basic key", or the error's code.
std::string read(const http::Headers& headers) {
  const auto credentials = read_credentials(headers);
  if (!credentials) return credentials.error().code;
  return credentials->key.value_or("-") + "/" + credentials->basic_key.value_or("-");
}

TEST(Credentials, ComeInAnyOfFiveFields) {
  for (const auto* name : {"x-bf-vk", "X-Api-Key", "api-key", "x-goog-api-key"}) {
    EXPECT_EQ(read({{name, "ik-1"}}), "ik-1/-") << name;
  }
  EXPECT_EQ(read({{"Authorization", "Bearer ik-1"}}), "ik-1/-");
  EXPECT_EQ(read({{"authorization", "bearer  ik-1 "}}), "ik-1/-");
  EXPECT_EQ(read({}), "-/-");
  EXPECT_EQ(read({{"x-api-key", "  "}}), "-/-") << "an empty field is none";
}

TEST(Credentials, BasicGivesThePasswordOrTheUser) {
  EXPECT_EQ(read({{"Authorization", basic("user:ik-1")}}), "-/ik-1");
  EXPECT_EQ(read({{"Authorization", basic("ik-1:")}}), "-/ik-1");
  EXPECT_EQ(read({{"Authorization", basic("user:a:b")}}), "-/a:b");
  EXPECT_EQ(read({{"Authorization", basic("user:ik-1")}, {"x-bf-vk", "ik-2"}}), "ik-2/ik-1");
}

TEST(Credentials, TheSameKeyTwiceIsOneKey) {
  EXPECT_EQ(read({{"Authorization", "Bearer ik-1"}, {"api-key", "ik-1"}, {"x-bf-vk", "ik-1"}}),
            "ik-1/-");
}

TEST(Credentials, TwoDifferentKeysConflict) {
  const std::vector<http::Field> fields = {{"x-bf-vk", "ik-1"},
                                           {"Authorization", "Bearer ik-2"},
                                           {"x-api-key", "ik-3"},
                                           {"api-key", "ik-4"},
                                           {"x-goog-api-key", "ik-5"}};
  for (const auto& a : fields) {
    for (const auto& b : fields) {
      if (a.name == b.name) continue;
      EXPECT_EQ(read({a, b}), "conflicting_credentials") << a.name << " " << b.name;
    }
  }
  EXPECT_EQ(read({{"x-api-key", "ik-1"}, {"x-api-key", "ik-2"}}), "conflicting_credentials");
  EXPECT_EQ(read({{"Authorization", basic("u:1")}, {"Authorization", basic("u:2")}}),
            "conflicting_credentials");
}

TEST(Credentials, AnUnreadableAuthorizationIsRefused) {
  for (const auto& value : {"Bearer"s, "Bearer "s, ""s, "ik-1"s, "Digest username=x"s, "Basic !!!"s,
                            basic("no colon"), "Basic"s}) {
    EXPECT_EQ(read({{"Authorization", value}}), "invalid_api_key") << value;
  }
}

}  // namespace
}  // namespace limner::auth
