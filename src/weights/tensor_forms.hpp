// Other forms of a tensor's bytes: parts and reshapes are views, the rest are copies.
#pragma once

#include <cstdint>

#include "weights/tensor_view.hpp"

namespace limner::weights {

// Rows [first, first + count) of the outermost axis. They must exist.
TensorView rows_of(const TensorView& tensor, std::int64_t first, std::int64_t count);

// The same bytes under a shape of as many elements and, where rows have scales, as many rows.
TensorView reshaped(TensorView tensor, Shape shape);

// A matrix [r, c] → [c, r]; not one whose rows have scales.
TensorView transposed(const TensorView& matrix);

// The second half of the rows before the first; their number must be even.
TensorView halves_swapped(const TensorView& tensor);

}  // namespace limner::weights
