#include "engine/turn_order.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace limner::engine {

std::vector<std::size_t> turn_order(std::span<const Turn> all) {
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto by_due = [&](std::size_t i) { return std::tuple(all[i].due, all[i].id); };
  std::ranges::sort(order, {}, by_due);
  std::unordered_map<std::string_view, Duration> work_before;
  std::vector<Duration> begins(all.size());
  for (const auto i : order) {
    auto& before = work_before[all[i].principal];
    begins[i] = all[i].used + before;
    before += all[i].work;
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return begins[i]; });
  return order;
}

void PrincipalTurns::sync(std::span<const std::string_view> present) {
  const std::unordered_set<std::string_view> all(present.begin(), present.end());
  std::erase_if(used_, [&](const auto& entry) { return !all.contains(entry.first); });
  for (const auto principal : all) {
    if (!used_.contains(principal)) used_.emplace(principal, used_by(used_, principal));
  }
}

void PrincipalTurns::record(std::string_view principal, Duration took) {
  if (const auto it = used_.find(principal); it != used_.end()) it->second += took;
}

Duration PrincipalTurns::used(std::string_view principal) const {
  return used_by(used_, principal);
}

Duration used_by(const Used& used, std::string_view principal) {
  if (const auto it = used.find(principal); it != used.end()) return it->second;
  if (used.empty()) return {};
  return std::ranges::min_element(used, {}, [](const auto& entry) { return entry.second; })->second;
}

}  // namespace limner::engine
