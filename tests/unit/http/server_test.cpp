// Requests, bodies and refusals on real sockets. Streams and endings: server_stream_test.cpp.
#include "http/server.hpp"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "unit/http/server_fixture.hpp"

namespace limner::http {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ServerTest, KeepsAConnectionAlive) {
  add("GET", "/hello", echo());
  start();
  RawClient client(server_->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(kGet));
    const auto answer = client.read_answer();
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_TRUE(answer.ends_with("GET /hello "));
    EXPECT_EQ(answer.find("Connection:"), answer.npos);
  }
  EXPECT_EQ(observer_.opened(), 1);
  EXPECT_EQ(observer_.wait_for_finished(3).size(), 3u);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Mailbox<std::shared_ptr<Exchange>> slow;
  add("GET", "/slow", [&](std::shared_ptr<Exchange> e) { slow.put(std::move(e)); });
  add("POST", "/echo", echo(), json_body());
  start();
  RawClient client(server_->port());
  client.send(
      "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 5\r\n\r\n12345\r\n"
      "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  auto exchange = slow.take();
  ASSERT_TRUE(exchange);
  EXPECT_FALSE((*exchange)->client_gone().stop_requested());
  (*exchange)->respond({.status = 200, .headers = {}, .body = "first"});
  const auto all = client.read_all();
  const auto first = all.find("first");
  const auto second = all.find("POST /echo 12345");
  const auto third = all.find("unknown_path");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, all.npos);
}

TEST_F(ServerTest, ServesAHalfClosedClient) {
  add("GET", "/hello", echo());
  start();
  const auto all = ask(std::string(kGet) + std::string(kGet));
  EXPECT_NE(all.find("GET /hello "), all.rfind("GET /hello "));
}

TEST_F(ServerTest, ReadsARequestOneByteAtATime) {
  add("POST", "/echo", echo(), json_body());
  start();
  RawClient client(server_->port());
  for (const char c :
       std::string_view("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")) {
    ASSERT_TRUE(client.send(std::string_view(&c, 1)));
  }
  EXPECT_TRUE(client.read_answer().ends_with("POST /echo abcde"));
}

TEST_F(ServerTest, HttpOneZeroClosesUnlessAskedNotTo) {
  add("GET", "/hello", echo());
  start();
  RawClient client(server_->port());
  client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(client.read_answer().find("Connection: keep-alive"), std::string::npos);
  client.send("GET /hello HTTP/1.0\r\n\r\n");
  const auto last = client.read_all();
  EXPECT_NE(last.find("Connection: close"), last.npos);
  EXPECT_TRUE(client.has_ended());
}

TEST_F(ServerTest, HeadSendsNoBodyAndOptionsNoCors) {
  add("GET", "/hello", echo());
  start();
  const auto head = ask("HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 12\r\n"), head.npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  const auto options =
      ask("OPTIONS /hello HTTP/1.1\r\nHost: a\r\nOrigin: https://x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_of(options), 204);
  EXPECT_NE(options.find("Allow: GET, HEAD, OPTIONS\r\n"), options.npos);
  EXPECT_EQ(options.find("Access-Control"), options.npos);
  EXPECT_EQ(status_of(ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")), 204);
  const auto put = ask("PUT /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(put), 405);
  EXPECT_NE(put.find("Allow: GET, HEAD, OPTIONS\r\n"), put.npos);
}

TEST_F(ServerTest, RefusesWhatItCannotReadAndCloses) {
  start();
  const std::pair<std::string, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabcde", 501},
      {"GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'a') + "\r\n\r\n", 431},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: x\r\n\r\n", 417},
  };
  for (const auto& [request, status] : cases) {
    const auto answer = ask(request);
    EXPECT_EQ(status_of(answer), status) << request.substr(0, 60);
    EXPECT_EQ(answer.find("HTTP/1.1", 9), answer.npos) << "one answer only";
  }
}

TEST_F(ServerTest, AnEarlyRefusalReadsLittleOfAnUpload) {
  add("POST", "/upload", echo(), form_body(), [](const Request&) {
    return HeadDecision(Response{.status = 401, .headers = {}, .body = "no"});
  });
  options_.timeouts.linger = milliseconds(200);
  start();
  RawClient client(server_->port());
  client.send(
      "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
      "Content-Length: 52428800\r\n\r\n");
  const std::string block(1u << 16, 'x');
  std::size_t taken = 0;
  while (const auto n = client.send_some(block)) taken += n;
  const auto answer = client.read_until("\r\n\r\nno");
  EXPECT_EQ(status_of(answer), 401);
  EXPECT_NE(answer.find("Connection: close"), answer.npos);
  while (client.send(block) && taken < (50u << 20)) taken += block.size();
  EXPECT_LT(taken, 50u << 20) << "the connection ends long before the upload";
  const auto finished = observer_.wait_for_finished(1);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].status, 401);
  EXPECT_EQ(finished[0].body_bytes_in, 0u);
}

TEST_F(ServerTest, AHookDecidesBeforeExpectContinue) {
  const HeadHook hook = [](const Request& head) {
    if (head.header("Authorization"))
      return HeadDecision(Admitted{.context = std::string("alice")});
    return HeadDecision(Response{.status = 401, .headers = {}, .body = "no"});
  };
  add(
      "POST", "/upload",
      [](const std::shared_ptr<Exchange>& exchange) {
        exchange->respond({.status = 200,
                           .headers = {},
                           .body = std::any_cast<std::string>(exchange->context()) + " " +
                                   std::string(exchange->request().body_bytes())});
      },
      json_body(), hook);
  start();
  const std::string head =
      "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 4\r\nExpect: 100-continue\r\n";
  RawClient stranger(server_->port());
  stranger.send(head + "\r\n");
  EXPECT_EQ(status_of(stranger.read_answer()), 401);
  RawClient alice(server_->port());
  alice.send(head + "Authorization: x\r\n\r\n");
  EXPECT_EQ(alice.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  alice.send("body");
  EXPECT_TRUE(alice.read_answer().ends_with("alice body"));
}

TEST_F(ServerTest, HoldsBodiesToTheirRoutesPolicy) {
  auto json = json_body();
  json.json_bytes_max = 8;
  add("POST", "/json", echo(), json);
  add("POST", "/none", echo());
  add("POST", "/form", echo(), form_body());
  start();
  const auto post = [&](const std::string& path, const std::string& fields,
                        const std::string& body) {
    return status_of(ask("POST " + path + " HTTP/1.1\r\nHost: a\r\n" + fields +
                         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
  };
  const std::string is_json = "Content-Type: application/json; charset=utf-8\r\n";
  EXPECT_EQ(post("/json", is_json, "12345678"), 200);
  EXPECT_EQ(post("/json", is_json, "123456789"), 413);
  EXPECT_EQ(post("/json", "Content-Type: application/problem+json\r\n", "1"), 200);
  EXPECT_EQ(post("/json", "Content-Type: text/plain\r\n", "1"), 415);
  EXPECT_EQ(post("/json", "", "1"), 415);
  EXPECT_EQ(post("/json", "", ""), 200);
  EXPECT_EQ(post("/json", is_json + "Content-Encoding: gzip\r\n", "1"), 415);
  EXPECT_EQ(post("/none", "", "ignored"), 200);
  EXPECT_EQ(post("/none", "", std::string(70'000, 'x')), 413);
  EXPECT_EQ(post("/form", is_json, "1"), 415);
  EXPECT_EQ(post("/form", "Content-Type: multipart/form-data\r\n", "1"), 400);
  EXPECT_EQ(post("/form", "Content-Type: multipart/form-data; boundary=b\r\n", "--b"), 400);
  EXPECT_EQ(status_of(ask("POST /json HTTP/1.1\r\nHost: a\r\n" + is_json +
                          "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n")),
            413);
}

TEST_F(ServerTest, TakesAChunkedUploadOfParts) {
  add(
      "POST", "/form",
      [](const std::shared_ptr<Exchange>& exchange) {
        const auto* parts = exchange->request().parts();
        const auto& image = parts->at(1);
        exchange->respond({.status = 200,
                           .headers = {},
                           .body = std::string(parts->at(0).content.text()) + " " + image.name +
                                   " " + std::to_string(image.content.size()) +
                                   (image.content.is_spilled() ? " spilled" : "")});
      },
      form_body());
  start();
  RawClient client(server_->port());
  client.send(
      "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  const auto chunk = [&](const std::string& bytes) {
    char head[32];
    std::snprintf(head, sizeof head, "%zx\r\n", bytes.size());
    client.send(head + bytes + "\r\n");
  };
  chunk("--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na cat\r");
  chunk("\n--b\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"x\"\r\n\r\n");
  for (int i = 0; i < 40; ++i) chunk(std::string(50'000, 'x'));
  chunk("\r\n--b--\r\n");
  chunk("");
  EXPECT_TRUE(client.read_answer().ends_with("a cat image[] 2000000 spilled"));
}

TEST_F(ServerTest, ShedsSlowHeadsAndSlowBodies) {
  options_.timeouts.head = milliseconds(50);
  options_.timeouts.body_grace = milliseconds(50);
  add("POST", "/echo", echo(), json_body());
  start();
  RawClient silent(server_->port());
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_TRUE(silent.has_ended());
  RawClient slow_head(server_->port());
  slow_head.send("GET / HTT");
  EXPECT_EQ(status_of(slow_head.read_all()), 408);
  RawClient slow_body(server_->port());
  slow_body.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 500\r\n\r\nabc");
  EXPECT_EQ(status_of(slow_body.read_answer()), 408);
}

TEST_F(ServerTest, ClosesAnIdleConnection) {
  options_.timeouts.keep_alive = milliseconds(30);
  add("GET", "/hello", echo());
  start();
  RawClient client(server_->port());
  client.send(kGet);
  EXPECT_EQ(status_of(client.read_answer()), 200);
  EXPECT_EQ(client.read_all(), "");
  EXPECT_TRUE(client.has_ended());
}

TEST_F(ServerTest, AHandlerThatThrowsOrLetsGoIsA500) {
  add("GET", "/throws",
      [](const std::shared_ptr<Exchange>&) { throw std::runtime_error("secret detail"); });
  add("GET", "/drops", [](const std::shared_ptr<Exchange>&) {});
  add("GET", "/breaks", [](const std::shared_ptr<Exchange>& exchange) {
    exchange->respond({.status = 200, .headers = {{"X", "a\r\nY: b"}}, .body = "x"});
  });
  start();
  RawClient client(server_->port());
  for (const auto* path : {"/throws", "/drops", "/breaks"}) {
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(status_of(answer), 500) << path;
    EXPECT_EQ(answer.find("secret"), answer.npos);
    EXPECT_EQ(answer.find("Y: b"), answer.npos);
  }
}

TEST_F(ServerTest, WhenFullOnlyWhatIsVitalIsAnswered) {
  options_.connections_max = 1;
  add("GET", "/hello", echo());
  routes_.add({.method = "GET", .pattern = "/health", .handler = echo(), .is_vital = true});
  start();
  RawClient one(server_->port());
  one.send(kGet);
  EXPECT_EQ(status_of(one.read_answer()), 200);
  const auto refused = ask(kGet);
  EXPECT_EQ(status_of(refused), 503);
  EXPECT_TRUE(refused.ends_with("too_many_connections")) << refused;
  const auto health = ask("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(health), 200);
  EXPECT_NE(health.find("Connection: close"), health.npos);
  one.close();
  observer_.wait_for_closed(3);
  EXPECT_EQ(status_of(ask(kGet)), 200);
}

TEST_F(ServerTest, SendsPartsOfAFileAsTheClientTakesThem) {
  std::FILE* file = std::tmpfile();
  std::string content;
  while (content.size() < (8u << 20)) content += std::to_string(content.size()) + ",";
  ASSERT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
  std::fflush(file);
  const SharedContent whole(Descriptor(::dup(::fileno(file))), content.size());
  std::fclose(file);
  add("GET", "/whole", [&](const auto& exchange) { exchange->respond({.body = whole}); });
  add("GET", "/part", [&](const auto& exchange) {
    exchange->respond({.status = 206, .body = whole.part(1'000, 3u << 20)});
  });
  add("GET", "/memory", [&](const auto& exchange) {
    exchange->respond({.body = SharedContent("0123456789").part(2, 3)});
  });
  start();
  RawClient client(server_->port());
  const auto body_of = [&](const std::string& path) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.read_answer();
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  EXPECT_TRUE(body_of("/whole") == content);
  EXPECT_TRUE(body_of("/part") == content.substr(1'000, 3u << 20));
  EXPECT_EQ(body_of("/memory"), "234");
  client.send("HEAD /whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto head = client.read_all();
  EXPECT_NE(head.find("Content-Length: " + std::to_string(content.size())), head.npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, AFileThatBecameShorterBreaksTheAnswerOff) {
  std::FILE* file = std::tmpfile();
  std::fputs("short", file);
  std::fflush(file);
  const SharedContent content(Descriptor(::dup(::fileno(file))), 1'000);
  std::fclose(file);
  add("GET", "/file", [&](const auto& exchange) { exchange->respond({.body = content}); });
  start();
  RawClient client(server_->port());
  client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_FALSE(client.read_all().ends_with("shortX"));
  EXPECT_TRUE(client.has_ended());
}

TEST_F(ServerTest, BoundsTheMemoryOfLargeBodiesAndLetsSmallOnesPass) {
  options_.bodies.memory_bytes_max = 100'000;
  Mailbox<std::shared_ptr<Exchange>> held;
  add(
      "POST", "/hold", [&](std::shared_ptr<Exchange> e) { held.put(std::move(e)); }, json_body());
  add("POST", "/echo", echo(), json_body());
  start();
  const auto post = [](const std::string& path, std::size_t size) {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
           "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
  };
  const std::size_t large = BodyBudget::kSmallBytes + 60'000;
  RawClient one(server_->port());
  one.send(post("/hold", large));
  auto exchange = held.take();
  ASSERT_TRUE(exchange);
  RawClient two(server_->port());
  two.send(post("/hold", large));
  EXPECT_EQ(status_of(two.read_answer()), 503);
  EXPECT_EQ(status_of(ask(post("/echo", 200'000))), 200);
  (*exchange)->respond({});
  exchange->reset();
  EXPECT_EQ(status_of(one.read_answer()), 200);
}

TEST_F(ServerTest, StartsWithoutATemporaryFolder) {
  ::setenv("TMPDIR", "/no/such/folder", 1);
  add("GET", "/hello", echo());
  start();
  ::unsetenv("TMPDIR");
  EXPECT_EQ(status_of(ask(kGet)), 200);
}

TEST_F(ServerTest, APortInUseIsNamed) {
  start();
  ServerOptions options;
  options.port = server_->port();
  Server second(options, {}, {});
  const auto listening = second.listen();
  ASSERT_FALSE(listening);
  EXPECT_NE(listening.error().message.find(std::to_string(options.port)), std::string::npos);
  EXPECT_NE(listening.error().message.find("another port"), std::string::npos);
  ServerOptions nowhere;
  nowhere.host = "192.0.2.1";
  Server third(nowhere, {}, {});
  EXPECT_FALSE(third.listen());
}

}  // namespace
}  // namespace limner::http
