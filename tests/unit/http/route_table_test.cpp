#include "http/route_table.hpp"

#include <gtest/gtest.h>

#include "http/url.hpp"

namespace limner::http {
namespace {

class RouteTableTest : public ::testing::Test {
 protected:
  void add(std::string method, std::string pattern) {
    table_.add({.method = std::move(method),
                .pattern = std::move(pattern),
                .handler = [](const std::shared_ptr<Exchange>&) {}});
  }
  // The pattern found and its parameters, or what was found instead.
  std::string find(std::string_view method, std::string_view path) const {
    auto found = table_.find(method, parse_target(path)->segments);
    if (std::holds_alternative<NoSuchPath>(found)) return "no path";
    if (const auto* other = std::get_if<NoSuchMethod>(&found)) return "allow " + other->allow;
    const auto& match = std::get<RouteMatch>(found);
    std::string text = match.route->pattern;
    for (const auto& [name, value] : match.parameters) text += " " + name + "=" + value;
    return text;
  }

  RouteTable table_;
};

TEST_F(RouteTableTest, MatchesLiteralsBeforeParameters) {
  add("GET", "/v1/models/{id}");
  add("GET", "/v1/models/loaded");
  add("GET", "/");
  EXPECT_EQ(find("GET", "/v1/models/loaded"), "/v1/models/loaded");
  EXPECT_EQ(find("GET", "/v1/models/sd15"), "/v1/models/{id} id=sd15");
  EXPECT_EQ(find("GET", "/v1/models/org%2Fsd15"), "/v1/models/{id} id=org/sd15");
  EXPECT_EQ(find("GET", "/"), "/");
  EXPECT_EQ(find("GET", "/v1/models"), "no path");
  EXPECT_EQ(find("GET", "/v1/models/a/b"), "no path");
}

TEST_F(RouteTableTest, ALongParameterRunsUpToTheLiteralsBehindIt) {
  add("POST", "/openai/openai/deployments/{id...}/images/generations");
  add("POST", "/openai/openai/deployments/{id...}/images/edits");
  EXPECT_EQ(find("POST", "/openai/openai/deployments/local/org/sd15/images/generations"),
            "/openai/openai/deployments/{id...}/images/generations id=local/org/sd15");
  EXPECT_EQ(find("POST", "/openai/openai/deployments/images/images/images/edits"),
            "/openai/openai/deployments/{id...}/images/edits id=images/images");
  EXPECT_EQ(find("POST", "/openai/openai/deployments/images/generations"), "no path");
}

TEST_F(RouteTableTest, AShortParameterBeatsALongOne) {
  add("POST", "/v3/{rest...}");
  add("POST", "/v3/{model}/images");
  EXPECT_EQ(find("POST", "/v3/sd15/images"), "/v3/{model}/images model=sd15");
  EXPECT_EQ(find("POST", "/v3/sd15/other"), "/v3/{rest...} rest=sd15/other");
}

TEST_F(RouteTableTest, AWrongMethodNamesTheRightOnes) {
  add("GET", "/v1/images/requests/{id}");
  add("DELETE", "/v1/images/requests/{id}");
  EXPECT_EQ(find("POST", "/v1/images/requests/7"), "allow GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(find("get", "/v1/images/requests/7"), "allow GET, HEAD, DELETE, OPTIONS");
}

TEST_F(RouteTableTest, HeadFallsBackToGet) {
  add("GET", "/files/{name}");
  EXPECT_EQ(find("HEAD", "/files/a.png"), "/files/{name} name=a.png");
  add("HEAD", "/files/{own}");
  EXPECT_EQ(find("HEAD", "/files/a.png"), "/files/{own} own=a.png");
  EXPECT_EQ(table_.describe(),
            (std::vector<std::string>{"GET /files/{name}", "HEAD /files/{own}"}));
}

TEST_F(RouteTableTest, AGetWithEffectsDoesNotAnswerHead) {
  const auto handler = [](const std::shared_ptr<Exchange>&) {};
  RouteTable routes;
  routes.add({.method = "POST", .pattern = "/paint", .handler = handler});
  routes.add({.method = "GET", .pattern = "/paint", .handler = handler, .takes_head = false});
  EXPECT_TRUE(std::holds_alternative<RouteMatch>(routes.find("GET", {"paint"})));
  const auto found = routes.find("HEAD", {"paint"});
  ASSERT_TRUE(std::holds_alternative<NoSuchMethod>(found));
  EXPECT_EQ(std::get<NoSuchMethod>(found).allow, "POST, GET, OPTIONS");
}

TEST_F(RouteTableTest, RefusesTheSameRouteTwice) {
  add("GET", "/a");
  EXPECT_DEATH(add("GET", "/a"), "added once");
  EXPECT_DEATH(add("GET", "a"), "slash");
  EXPECT_DEATH(add("GET", "/{a...}/{b...}"), "at most one");
}

TEST_F(RouteTableTest, RoutesBehindAHookKeepTheirOwn) {
  const auto hook_of = [](int value) {
    return [value](const Request&) { return HeadDecision(Admitted{.context = std::any(value)}); };
  };
  const auto handler = [](const std::shared_ptr<Exchange>&) {};
  RouteTable guarded;
  guarded.add({.method = "GET", .pattern = "/a", .handler = handler});
  guarded.add({.method = "GET", .pattern = "/b", .handler = handler, .on_head = hook_of(2)});
  RouteTable routes;
  routes.add({.method = "GET", .pattern = "/open", .handler = handler});
  routes.add_behind(hook_of(1), std::move(guarded));
  const auto asked = [&](const std::string& segment) {
    const auto found = routes.find("GET", {segment});
    const auto* route = std::get<RouteMatch>(found).route;
    if (!route->on_head) return 0;
    return std::any_cast<int>(std::get<Admitted>(route->on_head(Request{})).context);
  };
  EXPECT_EQ(asked("open"), 0);
  EXPECT_EQ(asked("a"), 1);
  EXPECT_EQ(asked("b"), 2);
}

}  // namespace
}  // namespace limner::http
