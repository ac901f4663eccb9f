#include "weights/tensor_forms.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace limner::weights {
namespace {

TensorView owning(DType dtype, Shape shape, std::vector<std::uint8_t> bytes) {
  auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  return {.dtype = dtype, .shape = std::move(shape), .bytes = *owner, .owner = owner};
}

}  // namespace

TensorView rows_of(const TensorView& tensor, std::int64_t first, std::int64_t count) {
  LIMNER_CHECK(!tensor.shape.empty() && first >= 0 && count > 0 &&
               first + count <= tensor.shape[0]);
  const std::size_t row_bytes = tensor.bytes.size() / static_cast<std::size_t>(tensor.shape[0]);
  TensorView rows = tensor;
  rows.shape[0] = count;
  rows.bytes = tensor.bytes.subspan(static_cast<std::size_t>(first) * row_bytes,
                                    static_cast<std::size_t>(count) * row_bytes);
  if (tensor.scales.size() > 1) {
    const auto begin = tensor.scales.begin() + first;
    rows.scales.assign(begin, begin + count);
  }
  return rows;
}

TensorView reshaped(TensorView tensor, Shape shape) {
  LIMNER_CHECK(element_count(tensor.shape) == element_count(shape));
  tensor.shape = std::move(shape);
  return tensor;
}

TensorView transposed(const TensorView& matrix) {
  LIMNER_CHECK(matrix.shape.size() == 2 && matrix.scales.size() <= 1);
  const auto rows = static_cast<std::size_t>(matrix.shape[0]);
  const auto columns = static_cast<std::size_t>(matrix.shape[1]);
  const std::size_t element = size_bytes(matrix.dtype);
  std::vector<std::uint8_t> bytes(matrix.bytes.size());
  // Without elements one side may be of any length.
  for (std::size_t r = 0; r < (bytes.empty() ? 0 : rows); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      std::memcpy(bytes.data() + (c * rows + r) * element,
                  matrix.bytes.data() + (r * columns + c) * element, element);
    }
  }
  TensorView turned = owning(matrix.dtype, {matrix.shape[1], matrix.shape[0]}, std::move(bytes));
  turned.scales = matrix.scales;
  return turned;
}

TensorView halves_swapped(const TensorView& tensor) {
  LIMNER_CHECK(!tensor.shape.empty() && tensor.shape[0] % 2 == 0);
  const auto half = static_cast<std::ptrdiff_t>(tensor.bytes.size() / 2);
  std::vector<std::uint8_t> bytes(tensor.bytes.begin() + half, tensor.bytes.end());
  bytes.insert(bytes.end(), tensor.bytes.begin(), tensor.bytes.begin() + half);
  TensorView swapped = owning(tensor.dtype, tensor.shape, std::move(bytes));
  swapped.scales = tensor.scales;
  std::ranges::rotate(swapped.scales, swapped.scales.begin() +
                                          static_cast<std::ptrdiff_t>(swapped.scales.size() / 2));
  return swapped;
}

}  // namespace limner::weights
