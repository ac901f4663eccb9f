// What the bodies that are being received, and those that wait for their handler, may hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "http/byte_budget.hpp"

namespace limner::http {

struct BodyLimits {
  std::size_t memory_bytes_max = std::size_t{1} << 30;  // beyond kSmallBytes of each: 503
  std::size_t spill_bytes_max = std::size_t{2} << 30;   // in unlinked files: 503
};

// The beginning of every body comes from a pool of its own, so that those who send a few kilobytes
// never wait for those who send megabytes. One owner gets a quarter of each pool.
class BodyBudget {
 public:
  static constexpr std::size_t kSmallBytes = 256u << 10;
  static constexpr std::size_t kSmallPoolBytes = 256u << 20;

  explicit BodyBudget(const BodyLimits& limits)
      : small_(make(kSmallPoolBytes)),
        memory_(make(limits.memory_bytes_max)),
        spill_(make(limits.spill_bytes_max)) {}

  // More than half of a pool is taken: who sends slowly has to make room.
  bool is_strained() const {
    return is_strained(*small_) || is_strained(*memory_) || is_strained(*spill_);
  }
  std::size_t used() const { return small_->used() + memory_->used() + spill_->used(); }

 private:
  friend class BodyLease;
  static std::shared_ptr<ByteBudget> make(std::size_t bytes_max) {
    return std::make_shared<ByteBudget>(bytes_max, bytes_max / 4);
  }
  static bool is_strained(const ByteBudget& pool) { return pool.used() > pool.total_max() / 2; }

  std::shared_ptr<ByteBudget> small_;
  std::shared_ptr<ByteBudget> memory_;
  std::shared_ptr<ByteBudget> spill_;
};

// One body's part. Move-only.
class BodyLease {
 public:
  BodyLease() = default;
  BodyLease(const BodyBudget& budget, const std::string& owner)
      : small_(budget.small_, owner),
        memory_(budget.memory_, owner, BodyBudget::kSmallBytes),
        spill_(budget.spill_, owner) {}

  // False when there is no room for so much.
  bool resize(std::size_t memory_bytes, std::size_t spilled_bytes) {
    return small_.resize(std::min(memory_bytes, BodyBudget::kSmallBytes)) &&
           memory_.resize(memory_bytes) && spill_.resize(spilled_bytes);
  }

 private:
  ByteLease small_;
  ByteLease memory_;
  ByteLease spill_;
};

}  // namespace limner::http
