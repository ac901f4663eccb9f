// Waits for sockets and for other threads: epoll and an eventfd.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace limner::http {

class Poller {
 public:
  static Result<std::unique_ptr<Poller>> make();

  struct Wanted {
    bool read = false;
    bool write = false;
  };
  void watch(int socket, Wanted wanted);
  void forget(int socket);

  // Ends a wait of another thread, or the next one.
  void wake();

  struct Ready {
    int socket;
    bool can_read;
    bool can_write;
    bool has_error;
  };
  // Waits at most `at_most` (negative: for ever), then calls `on_ready` for each ready socket.
  void wait(std::chrono::milliseconds at_most, const std::function<void(Ready)>& on_ready);

 private:
  Poller(int epoll, int wakeup) : epoll_(epoll), wakeup_(wakeup) {}

  Descriptor epoll_;
  Descriptor wakeup_;
};

}  // namespace limner::http
