#include "http/byte_budget.hpp"

namespace limner::http {

bool ByteBudget::try_take(const std::string& owner, std::size_t size) {
  return used_.with([&](Used& used) {
    if (size > total_max_ - used.total) return false;
    if (!owner.empty()) {
      const auto found = used.of_owner.find(owner);
      const std::size_t before = found == used.of_owner.end() ? 0 : found->second;
      if (size > share_max_ || before > share_max_ - size) return false;
      used.of_owner[owner] = before + size;
    }
    used.total += size;
    return true;
  });
}

void ByteBudget::give_back(const std::string& owner, std::size_t size) {
  used_.with([&](Used& used) {
    used.total -= size;
    const auto found = used.of_owner.find(owner);
    if (found == used.of_owner.end()) return;
    found->second -= size;
    if (found->second == 0) used.of_owner.erase(found);
  });
}

std::size_t ByteBudget::used() const {
  return used_.with([](const Used& used) { return used.total; });
}

ByteLease& ByteLease::operator=(ByteLease&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(owner_, other.owner_);
  std::swap(free_bytes_, other.free_bytes_);
  std::swap(counted_, other.counted_);
  return *this;
}

bool ByteLease::resize(std::size_t size) {
  if (!budget_) return true;
  const std::size_t wanted = size > free_bytes_ ? size - free_bytes_ : 0;
  if (wanted < counted_) budget_->give_back(owner_, counted_ - wanted);
  if (wanted > counted_ && !budget_->try_take(owner_, wanted - counted_)) return false;
  counted_ = wanted;
  return true;
}

}  // namespace limner::http
