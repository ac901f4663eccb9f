#include "api/worker_pool.hpp"

#include <exception>
#include <utility>

#include "base/log.hpp"

namespace limner::api {

WorkerPool::WorkerPool(int thread_count, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (int i = 0; i < thread_count; ++i) {
    threads_.emplace_back([this](std::stop_token stop) { run(stop); });
  }
}

WorkerPool::~WorkerPool() {
  for (auto& thread : threads_) thread.request_stop();
  std::deque<Work> dropped;  // destroyed outside the lock: work holds whole requests
  {
    std::lock_guard lock(mutex_);
    dropped.swap(waiting_);
  }
}

bool WorkerPool::try_post(Work work) {
  {
    std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max_) return false;
    waiting_.push_back(std::move(work));
  }
  ready_.notify_one();
  return true;
}

void WorkerPool::post(Work work) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  ready_.notify_one();
}

void WorkerPool::run(std::stop_token stop) {
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, stop, [&] { return !waiting_.empty(); });
      if (stop.stop_requested() || waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    // The handler guard: libraries throw, and one request's trouble must not end the thread. Its
    // exchange is dropped, which answers with a 500.
    try {
      work();
    } catch (const std::exception& e) {
      log::error("a request failed with an exception: {}", e.what());
    }
  }
}

}  // namespace limner::api
