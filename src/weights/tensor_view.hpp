// One named tensor of a checkpoint, as it lies in the mapped file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limner::weights {

// Other: of the format, or of a later one, and nothing that a network here computes with.
enum class DType { F64, F32, F16, BF16, F8E4M3, F8E5M2, I64, I32, I16, I8, U8, Bool, Other };

std::size_t size_bytes(DType dtype);  // 1 for Other, whose bytes nobody reads
bool is_floating(DType dtype);

using Shape = std::vector<std::int64_t>;  // outermost first; empty for a scalar

struct TensorView {
  DType dtype = DType::F32;
  Shape shape;
  std::span<const std::uint8_t> bytes;  // little endian, row-major, maybe unaligned
  std::shared_ptr<const void> owner;    // keeps `bytes` mapped; shared because graphs outlive files
  // Of weights in 8 bits: their numbers are value · scale, with one scale for all or one for each
  // row of the outermost axis. Empty: the values are the numbers.
  std::vector<float> scales = {};
  std::string other_dtype = {};  // the name of one that is Other
};

std::size_t element_count(const Shape& shape);
std::string to_string(const Shape& shape);  // "[320, 4, 3, 3]"
std::string dtype_name(const TensorView& tensor);

// Does the tensor hold numbers that a weight can be? Integers only with scales: taken by value they
// would paint noise.
bool is_weight(const TensorView& tensor);

// Any dtype but Other → float32, scales applied. Integers are converted by value.
std::vector<float> to_float32(const TensorView& tensor);

float half_to_float(std::uint16_t half);
std::uint16_t float_to_half(float value);  // round to nearest even

}  // namespace limner::weights
