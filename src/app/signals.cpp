#include "app/signals.hpp"

#include <csignal>
#include <ctime>

#include <unistd.h>

namespace limner::app {
namespace {

constexpr int kExitInterrupted = 130;  // as shells report SIGINT

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

Signals::Signals() {
  const auto set = our_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a client that left is an error of its write, not our end
  thread_ = std::jthread([this](std::stop_token end) { run(end); });
}

Signals::~Signals() {
  thread_.request_stop();
}

Signals::Wish Signals::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return wants_stop_ || wants_reload_; });
  if (wants_stop_) return Wish::Stop;
  wants_reload_ = false;
  return Wish::Reload;
}

void Signals::run(std::stop_token end) {
  const auto set = our_signals();
  const timespec poll{.tv_sec = 0, .tv_nsec = 200'000'000};
  while (!end.stop_requested()) {
    const int signal = sigtimedwait(&set, nullptr, &poll);
    if (signal < 0) continue;
    {
      std::lock_guard lock(mutex_);
      if (signal == SIGHUP) {
        wants_reload_ = true;
      } else {
        if (wants_stop_) _exit(kExitInterrupted);
        wants_stop_ = true;
      }
    }
    changed_.notify_all();
  }
}

}  // namespace limner::app
