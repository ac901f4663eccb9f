#include "http/fetcher.hpp"

#include <thread>

#include "http/public_address.hpp"
#include "unit/http/server_fixture.hpp"

namespace limner::http {
namespace {

TEST(PublicAddress, WhatIsNotOnThePublicInternetIsRefused) {
  for (const auto* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.254",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.8",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "198.51.100.7",
                              "203.0.113.7",
                              "224.0.0.1",
                              "239.255.255.250",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::ffff:169.254.169.254",
                              "::127.0.0.1",
                              "64:ff9b::10.0.0.1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "2002:a9fe:a9fe::1",
                              "3fff::1",
                              "fc00::1",
                              "fd12:3456::1",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "4000::1",
                              "",
                              "localhost",
                              "127.1",
                              "0x7f.0.0.1"}) {
    EXPECT_FALSE(is_public(std::string(address))) << address;
  }
}

TEST(PublicAddress, TheRestIsPublic) {
  for (const auto* address :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "198.17.255.255",
        "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1", "2002:101:101::1", "2001:200::1"}) {
    EXPECT_TRUE(is_public(std::string(address))) << address;
  }
}

class FetcherTest : public ServerTest {
 protected:
  std::string url(std::string_view path, std::string_view host = "127.0.0.1") const {
    return "http://" + std::string(host) + ":" + std::to_string(server_->port()) +
           std::string(path);
  }
  FetchOptions own_server() const {
    FetchOptions options;
    options.hosts = {"127.0.0.1:" + std::to_string(server_->port()),
                     "localhost:" + std::to_string(server_->port())};
    options.is_allowed = [](const sockaddr&) { return true; };
    return options;
  }
  static std::string code_of(const Result<std::vector<std::uint8_t>>& result) {
    return result ? "none" : result.error().code;
  }
};

TEST_F(FetcherTest, FetchesFromANamedHost) {
  add("GET", "/picture", echo());
  start();
  const auto bytes = Fetcher(own_server()).fetch(url("/picture"));
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(std::string(bytes->begin(), bytes->end()), "GET /picture ");
}

TEST_F(FetcherTest, NothingIsFetchedUnlessAHostIsNamed) {
  add("GET", "/picture", echo());
  start();
  EXPECT_EQ(code_of(Fetcher(FetchOptions{}).fetch(url("/picture"))), "remote_image_not_allowed");
}

TEST_F(FetcherTest, ANamedHostThatIsNotPublicIsNeverConnectedTo) {
  add("GET", "/picture", echo());
  start();
  auto options = own_server();
  options.is_allowed = {};
  const Fetcher fetcher(std::move(options));
  EXPECT_EQ(code_of(fetcher.fetch(url("/picture"))), "remote_image_not_allowed");
  EXPECT_EQ(code_of(fetcher.fetch(url("/picture", "localhost"))), "remote_image_not_allowed");
  EXPECT_EQ(observer_.opened(), 0);
}

TEST_F(FetcherTest, TheAddressIsAskedAgainWhenConnecting) {
  add("GET", "/picture", echo());
  start();
  auto options = own_server();
  // Public when the name is looked up, not any more when the socket is made.
  const auto asked = std::make_shared<int>(0);
  options.is_allowed = [asked](const sockaddr&) { return (*asked)++ == 0; };
  EXPECT_EQ(code_of(Fetcher(std::move(options)).fetch(url("/picture"))), "remote_image_failed");
  EXPECT_EQ(observer_.opened(), 0);
}

TEST_F(FetcherTest, OtherHostsPortsSchemesAndUsersAreRefused) {
  add("GET", "/picture", echo());
  start();
  auto options = own_server();
  options.hosts.push_back("pictures.example");
  const Fetcher fetcher(std::move(options));
  const auto own = std::to_string(server_->port());
  for (const auto& address :
       {std::string("http://127.0.0.1:1/x"), "http://127.0.0.2:" + own + "/x",
        "http://user@127.0.0.1:" + own + "/x", "http://user:key@127.0.0.1:" + own + "/x",
        "ftp://127.0.0.1:" + own + "/x", std::string("file:///etc/passwd"),
        std::string("gopher://pictures.example/x"), std::string("http://pictures.example:81/x"),
        std::string("http://pictures.example.evil/x"), std::string("http://"), std::string("http"),
        std::string("http://[::1]/x"), std::string("http:///x"),
        "http://127.0.0.1:" + own + "@evil.example/x"}) {
    EXPECT_EQ(code_of(fetcher.fetch(address)), "remote_image_not_allowed") << address;
  }
  EXPECT_EQ(observer_.opened(), 0);
}

TEST_F(FetcherTest, ARedirectIsNotFollowed) {
  add("GET", "/picture", [](const std::shared_ptr<Exchange>& exchange) {
    exchange->respond({.status = 302, .headers = {{"Location", "/elsewhere"}}, .body = {}});
  });
  add("GET", "/elsewhere", echo());
  start();
  EXPECT_EQ(code_of(Fetcher(own_server()).fetch(url("/picture"))), "remote_image_failed");
  EXPECT_EQ(observer_.wait_for_finished(1).size(), 1u);
}

TEST_F(FetcherTest, ALargeFileEndsEarly) {
  add("GET", "/picture", [](const std::shared_ptr<Exchange>& exchange) {
    exchange->respond({.status = 200, .headers = {}, .body = std::string(1 << 20, 'x')});
  });
  start();
  auto options = own_server();
  options.size_bytes_max = 1'000;
  const auto bytes = Fetcher(std::move(options)).fetch(url("/picture"));
  ASSERT_FALSE(bytes);
  EXPECT_NE(bytes.error().message.find("more than 1000 bytes"), std::string::npos);
}

TEST_F(FetcherTest, AnErrorPageIsNotQuoted) {
  add("GET", "/picture", [](const std::shared_ptr<Exchange>& exchange) {
    exchange->respond({.status = 403, .headers = {}, .body = "a secret"});
  });
  start();
  const auto bytes = Fetcher(own_server()).fetch(url("/picture"));
  ASSERT_FALSE(bytes);
  EXPECT_NE(bytes.error().message.find("403"), std::string::npos);
  EXPECT_EQ(bytes.error().message.find("secret"), std::string::npos);
}

TEST_F(FetcherTest, ASilentHostIsGivenUpAndOthersAreTurnedAwayMeanwhile) {
  Mailbox<std::shared_ptr<Exchange>> waiting;
  add("GET", "/picture", [&](std::shared_ptr<Exchange> e) { waiting.put(std::move(e)); });
  start();
  auto options = own_server();
  options.timeout = std::chrono::milliseconds(2'000);
  const Fetcher fetcher(std::move(options));
  Result<std::vector<std::uint8_t>> first = std::vector<std::uint8_t>();
  std::jthread caller([&] { first = fetcher.fetch(url("/picture")); });
  const auto exchange = waiting.take();
  ASSERT_TRUE(exchange);
  const auto second = fetcher.fetch(url("/picture"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Unavailable);
  caller.join();
  EXPECT_EQ(code_of(first), "remote_image_failed");
}

}  // namespace
}  // namespace limner::http
