// Which pictures share a network call. Rows of several fill the cores better, but a library may add
// up a larger batch in another order, and then a picture would depend on its company. So a kind of
// call is compared once with calls of one picture each, bit by bit, and used only where they agree.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "diffusion/pipelines/pipeline.hpp"

namespace limner::pipelines {

// How many pictures each call takes, in order. `rows` are those of each picture; a call has
// rows_max rows at most, or one picture, and 8, 4, 2 or 1 rows, so that few shapes are compiled.
std::vector<std::size_t> cut_calls(std::span<const int> rows, int rows_max);

// What a call's shape and the order of its sums may depend on.
struct CallKind {
  BatchKey key;
  std::vector<int> rows;  // of each picture
  friend auto operator<=>(const CallKind&, const CallKind&) = default;
};

class CallSharing {
 public:
  // Nothing: not compared yet.
  std::optional<bool> keeps_bits(const CallKind& kind) const;
  void learn(const CallKind& kind, bool keeps_bits);

 private:
  std::map<CallKind, bool> known_;
};

}  // namespace limner::pipelines
