// One thread that calls back later: stream headers of a request that is silent, answers that take
// long. Callbacks must be quick.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace limner::api {

class Timer {
 public:
  Timer();
  // What has not run yet never will.
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void after(std::chrono::milliseconds delay, std::function<void()> callback);

 private:
  void run(std::stop_token stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> callbacks_;
  std::jthread thread_;  // last: the others must outlive it
};

}  // namespace limner::api
