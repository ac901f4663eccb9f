// How many bytes requests and answers may hold, all together and those of one owner.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/guarded.hpp"

namespace limner::http {

// Any thread.
class ByteBudget {
 public:
  // No owner gets more than `share_max`; an empty name is nobody, who has the total only.
  ByteBudget(std::size_t total_max, std::size_t share_max)
      : total_max_(total_max), share_max_(share_max) {}

  bool try_take(const std::string& owner, std::size_t size);
  void give_back(const std::string& owner, std::size_t size);
  std::size_t used() const;
  std::size_t total_max() const { return total_max_; }

 private:
  struct Used {
    std::size_t total = 0;
    std::unordered_map<std::string, std::size_t> of_owner = {};
  };
  const std::size_t total_max_;
  const std::size_t share_max_;
  Guarded<Used> used_;
};

// One holder's part of a budget, given back at the end. Move-only. Shares the budget, since a
// handler may hold its request longer than the server lives.
class ByteLease {
 public:
  ByteLease() = default;  // of no budget: nothing is counted
  // Below `free_bytes` nothing is counted.
  ByteLease(std::shared_ptr<ByteBudget> budget, std::string owner, std::size_t free_bytes = 0)
      : budget_(std::move(budget)), owner_(std::move(owner)), free_bytes_(free_bytes) {}
  ByteLease(ByteLease&& other) noexcept
      : budget_(std::move(other.budget_)),
        owner_(std::move(other.owner_)),
        free_bytes_(other.free_bytes_),
        counted_(std::exchange(other.counted_, 0)) {}
  ByteLease& operator=(ByteLease&& other) noexcept;
  ~ByteLease() { (void)resize(0); }

  // False when the budget has no room: the lease stays as it was. Smaller always works.
  bool resize(std::size_t size);

 private:
  std::shared_ptr<ByteBudget> budget_;
  std::string owner_;
  std::size_t free_bytes_ = 0;
  std::size_t counted_ = 0;
};

}  // namespace limner::http
