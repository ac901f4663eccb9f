// Asks other servers over HTTP/1.1. One thread drives any number of calls (libcurl's multi
// interface on epoll); connections are kept and used again, per origin.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/call.hpp"

namespace limner::http {

struct ClientOptions {
  std::string user_agent = "limner";
  std::string ca_file = {};  // PEM; empty: the system's
  long kept_connections_max = 256;
  // A kept connection unused for longer is not tried again: servers commonly close at 60 to 75 s.
  std::chrono::seconds kept_for{50};
  std::size_t calls_max = 10'000;
};

// A call under way. Letting go of it cancels: the connection is closed within 100 ms, and on_end
// says Cancelled unless the reply was complete before.
class PendingCall {
 public:
  PendingCall() = default;
  explicit PendingCall(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  PendingCall(PendingCall&& other) noexcept : cancel_(std::exchange(other.cancel_, nullptr)) {}
  PendingCall& operator=(PendingCall&& other) noexcept;
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  ~PendingCall() { cancel(); }

  void cancel();

 private:
  std::function<void()> cancel_;
};

class Client {
 public:
  static Result<std::unique_ptr<Client>> start(ClientOptions options);
  // Ends every call with Cancelled, then the thread.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // From any thread. The sink is told exactly one end, never from inside send().
  // Unavailable when calls_max are under way.
  Result<PendingCall> send(Call call, std::shared_ptr<ReplySink> sink);

 private:
  class Loop;
  explicit Client(std::shared_ptr<Loop> loop);

  // Shared with the PendingCalls, which may outlive the client.
  std::shared_ptr<Loop> loop_;
};

}  // namespace limner::http
