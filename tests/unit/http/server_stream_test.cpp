// Streams, clients that leave, and draining, on real sockets.
#include <thread>

#include "http/sse.hpp"
#include "unit/http/server_fixture.hpp"

namespace limner::http {
namespace {

using std::chrono::milliseconds;

using StreamMail = Mailbox<std::shared_ptr<ResponseStream>>;
using ExchangeMail = Mailbox<std::shared_ptr<Exchange>>;

Handler put_into(ExchangeMail& mail) {
  return [&](std::shared_ptr<Exchange> exchange) { mail.put(std::move(exchange)); };
}

// Starts a stream and hands it to the test.
Handler stream_into(StreamMail& mail, StreamOptions options = {}) {
  return [&mail, options](const std::shared_ptr<Exchange>& exchange) {
    mail.put(exchange->start_stream(200, sse_headers(), options));
  };
}

const std::string kEvents = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ServerTest, StreamsInChunksFromAnyThread) {
  StreamMail mail;
  add("GET", "/events", stream_into(mail));
  start();
  RawClient client(server_->port());
  client.send(kEvents);
  auto stream = mail.take();
  ASSERT_TRUE(stream);
  const auto head = client.read_until("\r\n\r\n");
  EXPECT_NE(head.find("Transfer-Encoding: chunked"), head.npos);
  EXPECT_NE(head.find("Content-Type: text/event-stream"), head.npos);
  EXPECT_TRUE((*stream)->write(sse_event("a", "1")));
  EXPECT_EQ(client.read_until("\n\n\r\n"), "12\r\nevent: a\ndata: 1\n\n\r\n");
  EXPECT_TRUE((*stream)->write_final(sse_event("b", "2")));
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "12\r\nevent: b\ndata: 2\n\n\r\n0\r\n\r\n");
  client.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(client.read_answer()), 404) << "the connection lives on";
}

TEST_F(ServerTest, AnAbortedStreamIsSeenAsBroken) {
  StreamMail mail;
  add("GET", "/events", stream_into(mail));
  start();
  RawClient client(server_->port());
  client.send(kEvents);
  auto stream = mail.take();
  ASSERT_TRUE(stream);
  (*stream)->write("partial");
  client.read_until("partial\r\n");
  (*stream)->abort();
  EXPECT_EQ(client.read_all(), "");
  EXPECT_TRUE(client.was_reset());
  EXPECT_TRUE(observer_.wait_for_finished(1).at(0).was_aborted);
}

TEST_F(ServerTest, HttpOneZeroStreamsUntilClose) {
  StreamMail mail;
  add("GET", "/events", stream_into(mail));
  start();
  RawClient client(server_->port());
  client.send("GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  auto stream = mail.take();
  ASSERT_TRUE(stream);
  (*stream)->write_final("all of it");
  const auto all = client.read_all();
  EXPECT_TRUE(all.ends_with("\r\n\r\nall of it"));
  EXPECT_EQ(all.find("Transfer-Encoding"), all.npos);
  EXPECT_NE(all.find("Connection: close"), all.npos);
  EXPECT_FALSE(client.was_reset());
}

TEST_F(ServerTest, ASilentStreamBeats) {
  StreamMail mail;
  add("GET", "/events",
      stream_into(mail, {.heartbeat_bytes = ": hi\n\n", .heartbeat_interval = milliseconds(5)}));
  start();
  RawClient client(server_->port());
  client.send(kEvents);
  auto stream = mail.take();
  ASSERT_TRUE(stream);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.read_until(": hi\n\n\r\n").ends_with("6\r\n: hi\n\n\r\n"));
  }
  (*stream)->close();
  EXPECT_TRUE(client.read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
}

TEST_F(ServerTest, HeadOfAStreamIsOnlyItsHead) {
  StreamMail mail;
  add("GET", "/events", stream_into(mail));
  start();
  RawClient client(server_->port());
  client.send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(client.read_until("\r\n\r\n")), 200);
  EXPECT_EQ(status_of(client.read_answer()), 404);
  EXPECT_FALSE((*mail.take())->write("x"));
}

TEST_F(ServerTest, TellsAHandlerThatItsClientLeft) {
  ExchangeMail mail;
  add("GET", "/work", put_into(mail));
  start();
  for (const bool by_reset : {false, true}) {
    RawClient client(server_->port());
    // Pipelined bytes behind it must not hide that the client leaves.
    client.send("GET /work HTTP/1.1\r\nHost: a\r\n\r\nGET /wo");
    auto exchange = mail.take();
    ASSERT_TRUE(exchange);
    Mailbox<bool> gone;
    const std::stop_callback on_gone((*exchange)->client_gone(), [&] { gone.put(true); });
    if (by_reset) {
      client.reset();
    } else {
      client.close();
    }
    EXPECT_TRUE(gone.take().has_value()) << by_reset;
    exchange->reset();
    EXPECT_EQ(observer_.wait_for_finished(by_reset ? 2 : 1).back().status, 499);
  }
}

TEST_F(ServerTest, AStalledReaderIsGivenUp) {
  options_.timeouts.stall = milliseconds(100);
  options_.stream_buffer_bytes_max = 100'000;
  ExchangeMail mail;
  add("GET", "/events", put_into(mail));
  start();
  RawClient client(server_->port());
  client.shrink_receive_buffer();
  client.send(kEvents);
  auto exchange = mail.take();
  ASSERT_TRUE(exchange);
  Mailbox<bool> gone;
  const std::stop_callback on_gone((*exchange)->client_gone(), [&] { gone.put(true); });
  const auto stream = (*exchange)->start_stream(200, {});
  // More than the kernel takes: the rest waits for a reader who never comes.
  EXPECT_TRUE(stream->write_required(std::string(32u << 20, 'x')));
  EXPECT_FALSE(stream->write(std::string(100'000, 'y'))) << "a preview is dropped meanwhile";
  EXPECT_TRUE(gone.take().has_value());
  observer_.wait_for_finished(1);
  EXPECT_FALSE(stream->write_required("x"));
}

TEST_F(ServerTest, DrainFinishesWorkAndClosesTheIdle) {
  ExchangeMail mail;
  add("GET", "/work", put_into(mail));
  add("GET", "/hello", echo());
  start();
  RawClient idle(server_->port());
  idle.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.read_answer();
  RawClient busy(server_->port());
  busy.send("GET /work HTTP/1.1\r\nHost: a\r\n\r\n");
  auto exchange = mail.take();
  ASSERT_TRUE(exchange);
  Mailbox<bool> drained;
  std::thread drainer([&] { drained.put(server_->drain(std::chrono::seconds(10))); });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_TRUE(idle.has_ended());
  EXPECT_FALSE(RawClient(server_->port()).is_connected());
  (*exchange)->respond({.status = 200, .headers = {}, .body = "done"});
  const auto answer = busy.read_all();
  EXPECT_NE(answer.find("Connection: close"), answer.npos);
  EXPECT_TRUE(answer.ends_with("done"));
  EXPECT_EQ(drained.take(), true);
  drainer.join();
}

TEST_F(ServerTest, DrainCutsWhatIsNotDoneInTime) {
  ExchangeMail mail;
  add("GET", "/work", put_into(mail));
  start();
  RawClient busy(server_->port());
  busy.send("GET /work HTTP/1.1\r\nHost: a\r\n\r\n");
  auto exchange = mail.take();
  ASSERT_TRUE(exchange);
  EXPECT_FALSE(server_->drain(milliseconds(20)));
  EXPECT_TRUE((*exchange)->client_gone().stop_requested());
  EXPECT_EQ(busy.read_all(), "");
  server_.reset();
  // The handler may outlive the server.
  EXPECT_TRUE((*exchange)->respond({}));
}

TEST_F(ServerTest, SeveralThreadsServeManyClients) {
  options_.io_threads = 2;
  add("GET", "/hello", echo());
  start();
  std::vector<std::jthread> threads;
  std::atomic<int> answered{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        RawClient client(server_->port());
        client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        if (status_of(client.read_answer()) == 200) ++answered;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(answered, 100);
}

}  // namespace
}  // namespace limner::http
