// A few threads for what neither an I/O thread nor the engine may do: parse large bodies, decode
// and encode pictures.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace limner::api {

class WorkerPool {
 public:
  using Work = std::function<void()>;

  // `waiting_max` bounds try_post only.
  WorkerPool(int thread_count, std::size_t waiting_max);
  // Lets what runs come to its end; what waits is dropped, as its clients' connections are.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // New work: false when too much is waiting already.
  bool try_post(Work work);
  // Work of a request that was accepted: never refused. There is at most one such piece for each
  // request, and the engine bounds those.
  void post(Work work);

 private:
  void run(std::stop_token stop);

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<Work> waiting_;
  std::vector<std::jthread> threads_;  // last: the others must outlive them
};

}  // namespace limner::api
