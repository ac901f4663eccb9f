#include "http/client/poller.hpp"

#include <array>
#include <memory>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace limner::http {

Result<std::unique_ptr<Poller>> Poller::make() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const int wakeup = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::unique_ptr<Poller> poller(new Poller(epoll, wakeup));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wakeup;
  if (epoll < 0 || wakeup < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) != 0) {
    return Error{.kind = ErrorKind::Unavailable, .message = "the HTTP client could not be started"};
  }
  return poller;
}

void Poller::watch(int socket, Wanted wanted) {
  epoll_event event{};
  event.events = (wanted.read ? EPOLLIN : 0u) | (wanted.write ? EPOLLOUT : 0u);
  event.data.fd = socket;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket, &event) == 0) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event);
}

// A socket that is closed already has left by itself.
void Poller::forget(int socket) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, nullptr); }

void Poller::wake() {
  const std::uint64_t one = 1;
  // Full means that a wake-up is waiting anyway.
  [[maybe_unused]] const auto written = ::write(wakeup_.get(), &one, sizeof one);
}

void Poller::wait(std::chrono::milliseconds at_most, const std::function<void(Ready)>& on_ready) {
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(at_most.count()));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wakeup_.get()) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto read = ::read(wakeup_.get(), &ignored, sizeof ignored);
      continue;
    }
    on_ready({.socket = event.data.fd,
              .can_read = (event.events & (EPOLLIN | EPOLLHUP)) != 0,
              .can_write = (event.events & EPOLLOUT) != 0,
              .has_error = (event.events & EPOLLERR) != 0});
  }
}

}  // namespace limner::http
