// Connections over peers in memory: what depends on how a client behaves, without its network.
#include "http/connection.hpp"

#include <cstdio>

#include "unit/http/memory_peer.hpp"
#include "unit/http/server_fixture.hpp"

namespace limner::http {
namespace {

class ConnectionTest : public ::testing::Test {
 protected:
  void add(std::string method, std::string pattern, Handler handler,
           BodyPolicy body = BodyPolicy::none()) {
    routes_.add({.method = std::move(method),
                 .pattern = std::move(pattern),
                 .handler = std::move(handler),
                 .body = body});
  }
  // A route whose exchanges wait in held_.
  void add_slow(std::string method, std::string pattern, BodyPolicy body = BodyPolicy::none()) {
    add(
        std::move(method), std::move(pattern),
        [this](std::shared_ptr<Exchange> exchange) { held_.push_back(std::move(exchange)); }, body);
  }
  MemoryServer& server() {
    if (server_) return *server_;
    const auto say_message = [](const Error& error, const Request& head) {
      auto response = plain_error(error, head);
      response.body = error.message;
      return response;
    };
    server_ = std::make_unique<MemoryServer>(options_, std::move(routes_), say_message);
    return *server_;
  }
  static std::size_t count(std::string_view text, std::string_view word) {
    std::size_t count = 0;
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
    return count;
  }

  ServerOptions options_;
  RouteTable routes_;
  std::vector<std::shared_ptr<Exchange>> held_;
  std::unique_ptr<MemoryServer> server_;
};

TEST_F(ConnectionTest, AClientThatShutsDownItsSideGetsItsAnswer) {
  add_slow("GET", "/work");
  for (const std::string version : {"1", "0"}) {
    auto client = server().connect();
    client.send("GET /work HTTP/1." + version + "\r\nHost: a\r\n\r\n");
    client.end();
    EXPECT_FALSE(held_.back()->client_gone().stop_requested());
    EXPECT_EQ(client.received(), "HTTP/1.1 ") << "the answer's beginning asks who is there";
    held_.back()->respond({.status = 200, .headers = {}, .body = "done"});
    server().run();
    EXPECT_TRUE(client.received().starts_with("HTTP/1.1 200 OK\r\n")) << client.received();
    EXPECT_TRUE(client.received().ends_with("\r\n\r\ndone"));
    EXPECT_EQ(count(client.received(), "HTTP/1.1 "), 1u);
    EXPECT_FALSE(client.was_reset());
  }
  EXPECT_EQ(server().connection_count(), 0u);
}

TEST_F(ConnectionTest, AClientThatClosedIsGoneAsSoonAsItsKernelSaysSo) {
  add_slow("GET", "/work");
  auto client = server().connect();
  client.send("GET /work HTTP/1.1\r\nHost: a\r\n\r\n");
  client.end();
  client.reset();
  EXPECT_TRUE(held_.back()->client_gone().stop_requested());
  held_.clear();
  server().run();
  EXPECT_EQ(server().connection_count(), 0u);
}

TEST_F(ConnectionTest, AStreamAsksByAHeartbeat) {
  add_slow("GET", "/events");
  auto client = server().connect();
  client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto stream = held_.back()->start_stream(200, {}, {.heartbeat_bytes = ": hi\n\n"});
  server().run();
  client.end();
  EXPECT_TRUE(client.received().ends_with("6\r\n: hi\n\n\r\n")) << client.received();
  EXPECT_FALSE(held_.back()->client_gone().stop_requested());
  stream->write_final("the end");
  server().run();
  EXPECT_TRUE(client.received().ends_with("7\r\nthe end\r\n0\r\n\r\n"));
  EXPECT_EQ(count(client.received(), ": hi"), 1u);
}

TEST_F(ConnectionTest, PipelinedRequestsBeforeTheEndAreAllAnswered) {
  add_slow("GET", "/work");
  add("GET", "/hello", echo());
  auto client = server().connect();
  client.send("GET /work HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  client.end();
  held_.back()->respond({.status = 200, .headers = {}, .body = "first"});
  server().run();
  EXPECT_EQ(count(client.received(), "HTTP/1.1 200 OK"), 2u) << client.received();
  EXPECT_TRUE(client.received().ends_with("GET /hello "));
}

TEST_F(ConnectionTest, AHandlerThatLetsGoOfAHalfClosedClientIsA500) {
  add_slow("GET", "/work");
  auto client = server().connect();
  client.send("GET /work HTTP/1.1\r\nHost: a\r\n\r\n");
  client.end();
  held_.clear();
  server().run();
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 500 ")) << client.received();
}

TEST_F(ConnectionTest, AnswersThatNobodyReadsAreBounded) {
  options_.answer_memory_bytes_max = 1u << 20;
  add_slow("POST", "/paint", json_body());
  add("GET", "/hello", echo());
  const auto paint = [&](MemoryServer::Client& client) {
    client.send(
        "POST /paint HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{}");
  };
  // Two are at work when the first answer fills most of what there is.
  auto reader = server().connect();
  auto second = server().connect();
  reader.take_up_to(1'000);
  paint(reader);
  paint(second);
  held_[0]->respond({.body = std::string(900'000, 'x')});
  held_[1]->respond({.body = std::string(900'000, 'y')});
  server().run();
  EXPECT_TRUE(second.received().starts_with("HTTP/1.1 503 ")) << "there is no room for its answer";
  auto third = server().connect();
  paint(third);
  EXPECT_TRUE(third.received().starts_with("HTTP/1.1 503 ")) << "refused before the work";
  EXPECT_EQ(held_.size(), 2u);
  auto small = server().connect();
  small.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(small.received().starts_with("HTTP/1.1 200 "));
  reader.take_more(std::string::npos);
  EXPECT_TRUE(reader.received().ends_with(std::string(1'000, 'x')));
  auto fourth = server().connect();
  paint(fourth);
  EXPECT_EQ(held_.size(), 3u) << "read answers make room";
}

TEST_F(ConnectionTest, FilesAndSharedBytesTakeNoRoom) {
  options_.answer_memory_bytes_max = 100'000;
  const SharedContent content(std::string(8u << 20, 'x'));
  add("GET", "/file", [&](const auto& exchange) { exchange->respond({.body = content}); });
  std::vector<MemoryServer::Client> readers;
  readers.reserve(60);
  for (int i = 0; i < 60; ++i) {
    readers.push_back(server().connect());
    readers.back().take_up_to(1'000);
    readers.back().send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(readers.back().received().starts_with("HTTP/1.1 200 "));
  }
  EXPECT_EQ(server().core().answer_budget->used(), 0u);
}

TEST_F(ConnectionTest, AnOversizedChunkIsRefusedAtItsHead) {
  add("POST", "/echo", echo(), BodyPolicy::json(1'000));
  auto client = server().connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n");
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 413 ")) << client.received();
}

TEST_F(ConnectionTest, WhatAStrangerSentIsRepeatedInPartOnly) {
  auto client = server().connect();
  const std::string long_name(4'000, 'A');
  client.send(long_name + " /" + long_name + " HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 404 "));
  EXPECT_LT(client.received().size(), 1'000u);
}

TEST_F(ConnectionTest, BeyondTheLimitOneVitalRequestIsAnswered) {
  routes_.add({.method = "GET", .pattern = "/health", .handler = echo(), .is_vital = true});
  add("GET", "/hello", echo());
  const Peer beyond{.host = "192.0.2.7", .network = "192.0.2.7", .admission = Admission::VitalOnly};
  auto probe = server().connect(beyond);
  probe.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(probe.received(), "HTTP/1.1 200 "), 1u);
  auto other = server().connect(beyond);
  other.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(other.received().starts_with("HTTP/1.1 503 "));
}

}  // namespace
}  // namespace limner::http
