#include "app/heap_trimmer.hpp"

#include <chrono>

#include <malloc.h>

namespace limner::app {
namespace {

// Between requests that follow each other a trim would only cost the next one its page faults.
constexpr std::chrono::seconds kQuiet{2};
constexpr std::chrono::seconds kBusyMax{60};

}  // namespace

HeapTrimmer::HeapTrimmer() : thread_([this](const std::stop_token& end) { run(end); }) {}

void HeapTrimmer::request_started() {
  std::lock_guard lock(mutex_);
  ++running_count_;
}

void HeapTrimmer::request_finished(bool is_light) {
  {
    std::lock_guard lock(mutex_);
    --running_count_;
    if (is_light) return;
    ++finished_count_;
  }
  changed_.notify_one();
}

// After work, once it has been quiet; under steady load now and then.
void HeapTrimmer::run(const std::stop_token& end) {
  std::unique_lock lock(mutex_);
  std::uint64_t trimmed_count = 0;
  const auto pause = [&] { changed_.wait_for(lock, end, kQuiet, [] { return false; }); };
  while (changed_.wait(lock, end, [&] { return finished_count_ != trimmed_count; })) {
    const auto busy_end = std::chrono::steady_clock::now() + kBusyMax;
    bool is_quiet = false;
    while (!is_quiet && std::chrono::steady_clock::now() < busy_end) {
      const auto seen_count = finished_count_;
      pause();
      if (end.stop_requested()) return;
      is_quiet = running_count_ == 0 && finished_count_ == seen_count;
    }
    trimmed_count = finished_count_;
    lock.unlock();
    ::malloc_trim(0);
    lock.lock();
  }
}

}  // namespace limner::app
