// 8-bit storage of matrices.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "weights/tensor_view.hpp"

namespace limner::weights {

// Symmetric, one scale per row of the outermost axis: w ≈ value * scale with
// |w - value * scale| ≤ scale / 2 and scale = max|row| / 127. Ties go to the even integer.
struct QuantisedRows {
  std::vector<std::int8_t> values;
  std::vector<float> scales;
};

// Nothing when a number is not finite. `tensor` is a weight, with at least one axis.
std::optional<QuantisedRows> quantise_rows(const TensorView& tensor);

}  // namespace limner::weights
