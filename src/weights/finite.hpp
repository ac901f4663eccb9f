// Are a tensor's numbers fit for arithmetic? (base/finite.hpp says which are.)
#pragma once

#include <cstddef>
#include <optional>

#include "weights/tensor_view.hpp"

namespace limner::weights {

// The first that is not; nothing when all are, or when the dtype has none such. Reads the tensor
// once, at the speed of memory.
std::optional<std::size_t> find_unusable(const TensorView& tensor);

}  // namespace limner::weights
