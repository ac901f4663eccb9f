// SIGTERM and SIGINT: the first asks for a clean end, the second ends at once.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace limner::app {

class Signals {
 public:
  // Blocks the signals in this thread and all it starts, so that only our thread takes them: to be
  // made before any other thread.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Returns once the first signal has come.
  void wait();
  // The same, for who has other things to do.
  std::stop_token token() const { return stop_.get_token(); }

 private:
  void run(std::stop_token end);

  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace limner::app
