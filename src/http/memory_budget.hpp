// How many bytes of request bodies the whole server may hold in memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace limner::http {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  bool try_take(std::size_t size_bytes) {
    const auto before = used_.fetch_add(size_bytes);
    if (before + size_bytes <= bytes_max_) return true;
    used_.fetch_sub(size_bytes);
    return false;
  }
  void give_back(std::size_t size_bytes) { used_.fetch_sub(size_bytes); }
  std::size_t used_bytes() const { return used_; }

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> used_{0};
};

// One request's share, given back at the end. Move-only. Shares the budget, since a handler may
// hold its request longer than the server lives.
class MemoryLease {
 public:
  MemoryLease() = default;
  explicit MemoryLease(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}
  MemoryLease(MemoryLease&& other) noexcept
      : budget_(std::move(other.budget_)), size_(std::exchange(other.size_, 0)) {}
  MemoryLease& operator=(MemoryLease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MemoryLease() {
    if (budget_) budget_->give_back(size_);
  }

  // Grows to `size_bytes`; false when the budget has no room. Never shrinks.
  bool grow_to(std::size_t size_bytes) {
    if (size_bytes <= size_) return true;
    if (!budget_ || !budget_->try_take(size_bytes - size_)) return false;
    size_ = size_bytes;
    return true;
  }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  std::size_t size_ = 0;
};

}  // namespace limner::http
