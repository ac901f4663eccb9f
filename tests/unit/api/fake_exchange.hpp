// A request and its answer without a socket; the answer may come from any thread.
#pragma once

#include <any>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "http/exchange.hpp"
#include "http/route_table.hpp"
#include "http/url.hpp"

namespace limner::test {

// What was sent; `is_ended` when it will be no more.
struct Sent {
  int status = 0;
  http::Headers headers;
  std::string body;
  bool is_ended = false;
  bool was_aborted = false;
};

class FakeExchange final : public http::Exchange,
                           public std::enable_shared_from_this<FakeExchange> {
 public:
  FakeExchange(http::Request request, http::PathParameters parameters, std::any context = {})
      : request_(std::move(request)),
        parameters_(std::move(parameters)),
        context_(std::move(context)) {}

  const http::Request& request() const override { return request_; }
  http::Body take_body() override { return std::move(request_.body); }
  std::string_view path_parameter(std::string_view name) const override {
    for (const auto& [key, value] : parameters_) {
      if (key == name) return value;
    }
    return {};
  }
  const std::any& context() const override { return context_; }

  bool respond(http::Response response) override {
    return change([&](Sent& sent) {
      if (sent.status != 0) return false;
      sent = {.status = response.status,
              .headers = std::move(response.headers),
              .body = std::string(response.body_text()),
              .is_ended = true};
      return true;
    });
  }
  std::shared_ptr<http::ResponseStream> start_stream(int status, http::Headers headers,
                                                     http::StreamOptions) override {
    const bool is_first = change([&](Sent& sent) {
      if (sent.status != 0) return false;
      sent.status = status;
      sent.headers = std::move(headers);
      return true;
    });
    return is_first ? std::make_shared<Stream>(shared_from_this()) : nullptr;
  }
  bool responded() const override {
    std::lock_guard lock(mutex_);
    return sent_.status != 0;
  }
  std::stop_token client_gone() const override { return client_.get_token(); }

  void leave() { client_.request_stop(); }
  // Empty after 10 s.
  std::optional<Sent> wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(10), [&] { return sent_.is_ended; })) {
      return std::nullopt;
    }
    return sent_;
  }

 private:
  class Stream final : public http::ResponseStream {
   public:
    explicit Stream(std::shared_ptr<FakeExchange> exchange) : exchange_(std::move(exchange)) {}
    bool write(std::string piece) override {
      return exchange_->change([&](Sent& sent) {
        sent.body += piece;
        return !sent.is_ended;
      });
    }
    bool write_required(std::string piece) override { return write(std::move(piece)); }
    bool write_final(std::string piece) override {
      const bool is_heard = write(std::move(piece));
      close();
      return is_heard;
    }
    void close() override {
      exchange_->change([](Sent& sent) { return sent.is_ended = true; });
    }
    void abort() override {
      exchange_->change([](Sent& sent) { return sent.was_aborted = sent.is_ended = true; });
    }

   private:
    const std::shared_ptr<FakeExchange> exchange_;
  };

  template <typename Change>
  bool change(Change change) {
    std::lock_guard lock(mutex_);
    const bool result = change(sent_);
    changed_.notify_all();
    return result;
  }

  http::Request request_;
  const http::PathParameters parameters_;
  const std::any context_;
  std::stop_source client_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Sent sent_;
};

// One call through the route table; empty when no answer came, or no route takes it.
// `context` is what the guard of the route found out.
inline std::optional<Sent> call(const http::RouteTable& routes, http::Request request,
                                std::any context = {}) {
  auto target = http::parse_target(request.target);
  if (!target) return std::nullopt;
  request.path = target->path;
  request.segments = target->segments;
  request.query = target->query;
  const auto found = routes.find(request.method, request.segments);
  const auto* match = std::get_if<http::RouteMatch>(&found);
  if (match == nullptr) return std::nullopt;
  const auto exchange =
      std::make_shared<FakeExchange>(std::move(request), match->parameters, std::move(context));
  match->route->handler(exchange);
  return exchange->wait();
}

}  // namespace limner::test
