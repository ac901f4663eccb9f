#include "http/client/client.hpp"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "support/scripted_server.hpp"

namespace limner::http {
namespace {

using namespace std::chrono_literals;
using test::ScriptedPeer;
using test::ScriptedServer;

class RecordingSink : public ReplySink {
 public:
  void on_head(const ReplyHead& head) override {
    const std::lock_guard lock(mutex_);
    head_ = head;
    changed_.notify_all();
  }
  bool on_bytes(std::span<const std::uint8_t> bytes) override {
    const std::lock_guard lock(mutex_);
    body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    changed_.notify_all();
    return body_.size() < enough_;
  }
  void on_end(const CallEnd& end) override {
    const std::lock_guard lock(mutex_);
    ++end_count_;
    end_ = end;
    changed_.notify_all();
  }

  CallEnd wait_end() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return end_count_ > 0; }));
    EXPECT_EQ(end_count_, 1);
    return end_;
  }
  void wait_body(std::size_t size) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return body_.size() >= size; }));
  }
  void end_after(std::size_t enough) { enough_ = enough; }
  int status() const { return head_.status; }
  const Headers& headers() const { return head_.headers; }
  const std::string& body() const { return body_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  ReplyHead head_;
  std::string body_;
  std::size_t enough_ = std::string::npos;
  CallEnd end_;
  int end_count_ = 0;
};

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    auto client = Client::start({});
    ASSERT_TRUE(client);
    client_ = std::move(*client);
  }

  std::shared_ptr<RecordingSink> send(Call call) {
    auto sink = std::make_shared<RecordingSink>();
    auto pending = client_->send(std::move(call), sink);
    EXPECT_TRUE(pending);
    if (pending) pending_.push_back(std::move(*pending));
    return sink;
  }
  static Call post(const ScriptedServer& server, std::vector<SharedBytes> body) {
    return {.method = "POST",
            .url = server.url("/v1/images/generations"),
            .headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer k"}},
            .body = std::move(body),
            .deadlines = {},
            .limits = {}};
  }
  static Call get(const ScriptedServer& server) {
    return {.url = server.url(), .headers = {}, .body = {}, .deadlines = {}, .limits = {}};
  }

  std::unique_ptr<Client> client_;
  std::vector<PendingCall> pending_;
};

std::string reply_of(std::string_view body, std::string_view more = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}

TEST_F(ClientTest, APostOfSeveralPiecesArrivesAsOneBodyWithItsLength) {
  std::string request;
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    request = peer.read_request();
    peer.write(reply_of("{\"ok\":1}", "X-Request-Id: r1\r\n"));
    peer.wait_for_end();
  });
  const auto sink = send(post(server, {shared_bytes("{\"a\":"), {}, shared_bytes("1}")}));
  const auto end = sink->wait_end();
  EXPECT_FALSE(end.failure) << end.detail;
  EXPECT_TRUE(end.was_sent);
  EXPECT_EQ(sink->status(), 200);
  EXPECT_EQ(sink->headers().get("x-request-id"), "r1");
  EXPECT_EQ(sink->body(), "{\"ok\":1}");
  client_.reset();
  EXPECT_TRUE(request.starts_with("POST /v1/images/generations HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Content-Length: 7\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("Accept-Encoding: identity\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("Authorization: Bearer k\r\n"), std::string::npos) << request;
  EXPECT_EQ(request.find("Expect"), std::string::npos) << request;
  EXPECT_EQ(request.find("Transfer-Encoding"), std::string::npos) << request;
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}")) << request;
}

TEST_F(ClientTest, AConnectionIsUsedAgain) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    while (!peer.read_request().empty()) peer.write(reply_of("x"));
  });
  for (int i = 0; i < 3; ++i) {
    const auto end = send(get(server))->wait_end();
    EXPECT_FALSE(end.failure);
    EXPECT_EQ(end.used_kept_connection, i > 0) << i;
  }
  EXPECT_EQ(server.connection_count(), 1);
  client_.reset();
}

TEST_F(ClientTest, AKeptConnectionThatTheServerClosedIsReplacedAndTheBodySentAgain) {
  std::string second;
  ScriptedServer server([&](ScriptedPeer& peer, int connection) {
    const auto request = peer.read_request();
    if (connection == 0) {
      peer.write(reply_of("x"));
      peer.read_request();  // closed without an answer
      return;
    }
    second = request;
    peer.write(reply_of("y"));
    peer.wait_for_end();
  });
  EXPECT_FALSE(send(post(server, {shared_bytes("first")}))->wait_end().failure);
  const auto sink = send(post(server, {shared_bytes("abc"), shared_bytes("def")}));
  const auto end = sink->wait_end();
  EXPECT_FALSE(end.failure) << end.detail;
  EXPECT_EQ(sink->body(), "y");
  client_.reset();
  EXPECT_TRUE(second.ends_with("\r\n\r\nabcdef")) << second;
}

TEST_F(ClientTest, ANewConnectionThatIsClosedWithoutAnAnswerIsBroken) {
  ScriptedServer server([](ScriptedPeer& peer, int) { peer.read_request(); });
  const auto end = send(post(server, {shared_bytes("abc")}))->wait_end();
  EXPECT_EQ(end.failure, CallFailure::Broken);
  EXPECT_TRUE(end.was_sent);
  EXPECT_EQ(server.connection_count(), 1);
}

TEST_F(ClientTest, APortThatNobodyListensOnIsUnreachableAndNothingWasSent) {
  std::string url;
  {
    ScriptedServer gone([](ScriptedPeer&, int) {});
    url = gone.url();
  }
  const auto end = send({.url = url, .headers = {}, .body = {}, .deadlines = {}, .limits = {}})
                       ->wait_end();
  EXPECT_EQ(end.failure, CallFailure::Unreachable);
  EXPECT_FALSE(end.was_sent);
}

TEST_F(ClientTest, AHostThatDoesNotResolveIsUnreachable) {
  const auto end = send({.url = "http://no-such-host.invalid/",
                         .headers = {},
                         .body = {},
                         .deadlines = {},
                         .limits = {}})
                       ->wait_end();
  EXPECT_EQ(end.failure, CallFailure::Unreachable);
  EXPECT_FALSE(end.was_sent);
}

TEST_F(ClientTest, AnAddressThatMayNotBeAskedIsNot) {
  ScriptedServer server([](ScriptedPeer& peer, int) { peer.read_request(); });
  auto call = get(server);
  call.may_connect = [](const sockaddr&) { return false; };
  EXPECT_EQ(send(std::move(call))->wait_end().failure, CallFailure::Unreachable);
  EXPECT_EQ(server.connection_count(), 0);
}

TEST_F(ClientTest, EachDeadlineEndsTheCall) {
  ScriptedServer silent([](ScriptedPeer& peer, int) {
    peer.read_request();
    peer.wait_for_end();
  });
  auto call = get(silent);
  call.deadlines.first_byte = 100ms;
  EXPECT_EQ(send(std::move(call))->wait_end().failure, CallFailure::Late);

  ScriptedServer stops([](ScriptedPeer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    peer.wait_for_end();
  });
  call = get(stops);
  call.deadlines.idle = 100ms;
  const auto sink = send(std::move(call));
  EXPECT_EQ(sink->wait_end().failure, CallFailure::Late);
  EXPECT_EQ(sink->body(), "half");

  call = get(stops);
  call.deadlines.total = 100ms;
  EXPECT_EQ(send(std::move(call))->wait_end().failure, CallFailure::Late);
}

TEST_F(ClientTest, ARedirectIsAnAnswerLikeAnother) {
  ScriptedServer elsewhere([](ScriptedPeer&, int) {});
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: " + elsewhere.url() +
               "\r\n\r\n");
    peer.wait_for_end();
  });
  const auto sink = send(post(server, {shared_bytes("abc")}));
  EXPECT_FALSE(sink->wait_end().failure);
  EXPECT_EQ(sink->status(), 307);
  EXPECT_EQ(elsewhere.connection_count(), 0);
  client_.reset();
}

struct BadReply {
  const char* name;
  std::string text;
};

class BadReplies : public ClientTest, public testing::WithParamInterface<BadReply> {};

TEST_P(BadReplies, AreBroken) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    peer.read_request();
    peer.write(GetParam().text);
  });
  auto call = get(server);
  call.limits = {.head_bytes_max = 32u << 10, .head_fields_max = 200, .body_bytes_max = 100'000};
  const auto end = send(std::move(call))->wait_end();
  EXPECT_EQ(end.failure, CallFailure::Broken) << end.detail;
}

std::string many_fields(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "X-" + std::to_string(i) + ": 1\r\n";
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Client, BadReplies,
    testing::Values(
        BadReply{"HeadOf64KiB", reply_of("x", "X-Long: " + std::string(65'536, 'a') + "\r\n")},
        BadReply{"FiveHundredFields", reply_of("x", many_fields(500))},
        BadReply{"BodyBeyondTheLimit", reply_of(std::string(100'001, 'x'))},
        BadReply{"ShorterThanItsLength", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"},
        BadReply{"BadChunkSize",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n"},
        BadReply{"LengthAndChunks",
                 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n0\r\n\r\n"},
        BadReply{"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n"},
        BadReply{"OnlyAnInterimReply", "HTTP/1.1 103 Early Hints\r\n\r\n"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_F(ClientTest, WhatFollowsTheDeclaredLengthIsIgnoredAndTheConnectionDropped) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    peer.read_request();
    peer.write(reply_of("abc") + "HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_end();
  });
  for (int i = 0; i < 2; ++i) {
    const auto sink = send(get(server));
    EXPECT_FALSE(sink->wait_end().failure);
    EXPECT_EQ(sink->status(), 200);
    EXPECT_EQ(sink->body(), "abc");
  }
  EXPECT_EQ(server.connection_count(), 2);
}

TEST_F(ClientTest, AnAnswerSentBeforeTheUploadWasReadIsTheAnswer) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    peer.read_some();
    peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    peer.wait_for_end();
  });
  const auto sink = send(post(server, {shared_bytes(std::string(3u << 20, 'x'))}));
  const auto end = sink->wait_end();
  EXPECT_FALSE(end.failure) << end.detail;
  EXPECT_EQ(sink->status(), 413);
  EXPECT_EQ(sink->body(), "big");
}

TEST_F(ClientTest, LettingGoOfACallClosesItsConnection) {
  std::atomic<bool> is_closed = false;
  {
    ScriptedServer server([&](ScriptedPeer& peer, int) {
      peer.read_request();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
      is_closed = peer.wait_for_end();
    });
    const auto sink = send(get(server));
    sink->wait_body(1);
    pending_.clear();
    const auto end = sink->wait_end();
    EXPECT_EQ(end.failure, CallFailure::Cancelled);
    EXPECT_TRUE(end.was_sent);
  }
  EXPECT_TRUE(is_closed);
}

TEST_F(ClientTest, ASinkThatHasEnoughEndsTheCall) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    peer.wait_for_end();
  });
  auto sink = std::make_shared<RecordingSink>();
  sink->end_after(1);
  auto pending = client_->send(get(server), sink);
  EXPECT_EQ(sink->wait_end().failure, CallFailure::Cancelled);
}

TEST_F(ClientTest, TheEndOfTheClientEndsEveryCall) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    peer.read_request();
    peer.wait_for_end();
  });
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  for (int i = 0; i < 5; ++i) sinks.push_back(send(get(server)));
  client_.reset();
  for (const auto& sink : sinks) EXPECT_EQ(sink->wait_end().failure, CallFailure::Cancelled);
  pending_.clear();  // a call that outlived the client
}

TEST_F(ClientTest, BeyondItsLimitOfCallsTheClientTakesNone) {
  auto small = Client::start({.calls_max = 1});
  ASSERT_TRUE(small);
  ScriptedServer server([](ScriptedPeer& peer, int) {
    peer.read_request();
    peer.wait_for_end();
  });
  auto sink = std::make_shared<RecordingSink>();
  auto first = (*small)->send(get(server), sink);
  ASSERT_TRUE(first);
  const auto second = (*small)->send(get(server), std::make_shared<RecordingSink>());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Unavailable);
  first->cancel();
  sink->wait_end();
  auto third = (*small)->send(get(server), std::make_shared<RecordingSink>());
  EXPECT_TRUE(third);
}

TEST_F(ClientTest, ManyCallsAtOnceEachGetTheirOwnAnswer) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    while (true) {
      const auto request = peer.read_request();
      if (request.empty()) return;
      peer.write(reply_of(request.substr(request.find("\r\n\r\n") + 4)));
    }
  });
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  for (int i = 0; i < 40; ++i) sinks.push_back(send(post(server, {shared_bytes(std::to_string(i))})));
  for (int i = 0; i < 40; ++i) {
    EXPECT_FALSE(sinks[static_cast<std::size_t>(i)]->wait_end().failure);
    EXPECT_EQ(sinks[static_cast<std::size_t>(i)]->body(), std::to_string(i));
  }
  client_.reset();
}

}  // namespace
}  // namespace limner::http
