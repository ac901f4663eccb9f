#include "weights/quantise.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <span>

#include "base/check.hpp"
#include "weights/tensor_forms.hpp"

namespace limner::weights {
namespace {

constexpr float kLargestValue = 127;
// Rows are widened a few at a time: the whole matrix as float32 would not fit the processor's
// cache.
constexpr std::size_t kBlockElements = std::size_t{1} << 16;

// The largest magnitude, infinite when a number is not finite. Magnitudes of floats are ordered as
// their bits are, NaN last, and integers are what the compiler can compare side by side.
float largest_magnitude(std::span<const float> row) {
  std::uint32_t largest = 0;
  for (const float x : row) largest = std::max(largest, std::bit_cast<std::uint32_t>(x) << 1);
  constexpr auto infinity = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity());
  return std::bit_cast<float>(std::min(largest >> 1, infinity));
}

// For |x| ≤ 127. The sum has no bits left for a fraction, so the addition itself rounds, to even;
// the integer is then in the low bits.
std::int8_t round_to_even(float x) {
  constexpr float kOneAndAHalfTimes2To23 = 12'582'912.0f;
  return static_cast<std::int8_t>(std::bit_cast<std::int32_t>(x + kOneAndAHalfTimes2To23));
}

// The scale, or infinity when the row is not finite.
float quantise_row(std::span<const float> row, std::span<std::int8_t> values) {
  const float scale = largest_magnitude(row) / kLargestValue;
  if (scale > std::numeric_limits<float>::max()) return scale;
  // Numbers too small for a scale of full precision are as good as zero.
  if (scale < std::numeric_limits<float>::min()) {
    std::ranges::fill(values, std::int8_t{0});
    return 1;
  }
  for (std::size_t i = 0; i < row.size(); ++i) values[i] = round_to_even(row[i] / scale);
  return scale;
}

}  // namespace

std::optional<QuantisedRows> quantise_rows(const TensorView& tensor) {
  LIMNER_CHECK(!tensor.shape.empty() && is_weight(tensor));
  const auto rows = static_cast<std::size_t>(tensor.shape[0]);
  const std::size_t columns = rows == 0 ? 0 : element_count(tensor.shape) / rows;
  QuantisedRows out{.values = std::vector<std::int8_t>(rows * columns),
                    .scales = std::vector<float>(rows)};
  const std::size_t block_rows =
      std::max<std::size_t>(1, kBlockElements / std::max<std::size_t>(1, columns));
  for (std::size_t first = 0; first < rows; first += block_rows) {
    const std::size_t count = std::min(block_rows, rows - first);
    const std::vector<float> block = to_float32(
        rows_of(tensor, static_cast<std::int64_t>(first), static_cast<std::int64_t>(count)));
    for (std::size_t row = 0; row < count; ++row) {
      const float scale =
          quantise_row(std::span(block).subspan(row * columns, columns),
                       std::span(out.values).subspan((first + row) * columns, columns));
      if (scale > std::numeric_limits<float>::max()) return std::nullopt;
      out.scales[first + row] = scale;
    }
  }
  return out;
}

}  // namespace limner::weights
