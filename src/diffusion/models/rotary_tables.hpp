// Cosines and sines of rotary position embeddings (Su et al. 2021), made on the host: a bf16 graph
// would spoil the large angles.
#pragma once

#include <cstdint>
#include <vector>

namespace limner::models {

struct RotaryTables {
  std::vector<float> cos, sin;

  // The angles of one position along one axis of `dim` numbers. Each angle comes twice, for a pair
  // of neighbours.
  void add_axis(double position, std::int64_t dim, double theta);
};

}  // namespace limner::models
