// A real server on a free loopback port, with the routes of one test.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "http/request_head.hpp"
#include "http/server.hpp"
#include "unit/http/body_limits.hpp"
#include "unit/http/raw_client.hpp"

namespace limner::http {

// Remembers the outcomes of requests; wait_for_finished() waits for the n-th.
class CountingObserver final : public ServerObserver {
 public:
  struct Finished {
    std::string route;
    int status;
    bool was_aborted;
    std::size_t body_bytes_in;
  };

  void connection_opened() override { count(opened_); }
  void connection_closed() override { count(closed_); }
  void connection_refused() override { count(refused_); }
  void request_finished(const RequestSummary& summary) override {
    const std::lock_guard lock(mutex_);
    finished_.push_back(
        {std::string(summary.route), summary.status, summary.was_aborted, summary.body_bytes_in});
    changed_.notify_all();
  }

  std::vector<Finished> wait_for_finished(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return finished_.size() >= count; });
    return finished_;
  }
  int wait_for_closed(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return closed_ >= count; });
    return closed_;
  }
  int opened() {
    const std::lock_guard lock(mutex_);
    return opened_;
  }
  int refused() {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  void count(int& counter) {
    const std::lock_guard lock(mutex_);
    ++counter;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Finished> finished_;
  int opened_ = 0;
  int closed_ = 0;
  int refused_ = 0;
};

// Hands one value from a server's thread to the test's.
template <typename T>
class Mailbox {
 public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    value_.emplace(std::move(value));
    changed_.notify_all();
  }
  // Empty after 10 s.
  std::optional<T> take() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

// As a dialect would, but with the error's code for a body.
inline Response plain_error(const Error& error, const Request&) {
  const int status = error.kind == ErrorKind::InvalidArgument    ? 400
                     : error.kind == ErrorKind::NotFound         ? 404
                     : error.kind == ErrorKind::MethodNotAllowed ? 405
                     : error.kind == ErrorKind::RequestTimeout   ? 408
                     : error.kind == ErrorKind::TooLarge         ? 413
                     : error.kind == ErrorKind::UnsupportedMedia ? 415
                     : error.kind == ErrorKind::Unavailable      ? 503
                                                                 : 500;
  return {.status = finer_status(error).value_or(status), .headers = {}, .body = error.code};
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { options_.port = 0; }

  void add(std::string method, std::string pattern, Handler handler,
           BodyPolicy body = BodyPolicy::none(), HeadHook on_head = {}) {
    routes_.add({.method = std::move(method),
                 .pattern = std::move(pattern),
                 .handler = std::move(handler),
                 .body = body,
                 .on_head = std::move(on_head)});
  }
  void start() {
    server_ = std::make_unique<Server>(options_, std::move(routes_), plain_error, &observer_);
    const auto listening = server_->listen();
    ASSERT_TRUE(listening) << listening.error().message;
    server_->start();
  }
  // The status line's number, or 0.
  static int status_of(const std::string& answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
  }
  // Sends `request` on a connection of its own; everything until the server closes.
  std::string ask(std::string_view request) {
    RawClient client(server_->port());
    client.send(request);
    client.shutdown_write();
    return client.read_all();
  }

  ServerOptions options_;
  RouteTable routes_;
  CountingObserver observer_;
  std::unique_ptr<Server> server_;
};

inline Handler echo() {
  return [](const std::shared_ptr<Exchange>& exchange) {
    const auto& request = exchange->request();
    exchange->respond(
        {.status = 200,
         .headers = {{"Content-Type", "text/plain"}},
         .body = request.method + " " + request.path + " " + std::string(request.body_bytes())});
  };
}

}  // namespace limner::http
