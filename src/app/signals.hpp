// SIGTERM and SIGINT: the first asks for a clean end, the second ends at once. SIGHUP asks to read
// the configuration again.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace limner::app {

class Signals {
 public:
  enum class Wish { Reload, Stop };

  // Blocks the signals in this thread and all it starts, so that only our thread takes them: to be
  // made before any other thread.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Returns once a signal has come. Several wishes to reload may be one; none comes after Stop.
  Wish wait();

 private:
  void run(std::stop_token end);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool wants_stop_ = false;
  bool wants_reload_ = false;
  std::jthread thread_;
};

}  // namespace limner::app
