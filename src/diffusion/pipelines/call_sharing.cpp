#include "diffusion/pipelines/call_sharing.hpp"

#include <algorithm>
#include <array>

namespace limner::pipelines {
namespace {

constexpr std::array kCallRows = {8, 4, 2, 1};
// More kinds than are ever compiled at once; what is forgotten is compared again.
constexpr std::size_t kKindsMax = 256;

// How many of the first pictures have exactly `wanted` rows; 0 when none.
std::size_t pictures_of(std::span<const int> rows, int wanted) {
  std::size_t count = 0;
  for (int sum = 0; count < rows.size() && sum < wanted; ++count) {
    sum += rows[count];
    if (sum == wanted) return count + 1;
  }
  return 0;
}

std::size_t next_call(std::span<const int> rows, int rows_max) {
  for (const int size : kCallRows) {
    if (size > rows_max) continue;
    if (const auto count = pictures_of(rows, size); count > 0) return count;
  }
  return 1;
}

}  // namespace

std::vector<std::size_t> cut_calls(std::span<const int> rows, int rows_max) {
  std::vector<std::size_t> calls;
  while (!rows.empty()) {
    calls.push_back(next_call(rows, rows_max));
    rows = rows.subspan(calls.back());
  }
  return calls;
}

std::optional<bool> CallSharing::keeps_bits(const CallKind& kind) const {
  const auto it = known_.find(kind);
  return it == known_.end() ? std::nullopt : std::optional(it->second);
}

void CallSharing::learn(const CallKind& kind, bool keeps_bits) {
  if (known_.size() >= kKindsMax) known_.clear();
  known_[kind] = keeps_bits;
}

}  // namespace limner::pipelines
