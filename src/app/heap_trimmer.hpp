// Gives memory that requests needed back to the system: the allocator keeps what was freed, and
// after a crowd that is hundreds of megabytes which nobody uses.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

namespace limner::app {

class HeapTrimmer {
 public:
  HeapTrimmer();
  HeapTrimmer(const HeapTrimmer&) = delete;
  HeapTrimmer& operator=(const HeapTrimmer&) = delete;

  // Any thread; never waits for a trim.
  void request_started();
  // `is_light`: it left nothing worth a trim.
  void request_finished(bool is_light);

 private:
  void run(const std::stop_token& end);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t running_count_ = 0;
  std::uint64_t finished_count_ = 0;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace limner::app
