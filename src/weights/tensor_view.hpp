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

enum class DType { F64, F32, F16, BF16, F8E4M3, F8E5M2, I64, I32, I16, I8, U8, Bool };

std::size_t size_bytes(DType dtype);
std::string_view to_string(DType dtype);
bool is_floating(DType dtype);

using Shape = std::vector<std::int64_t>;  // outermost first; empty for a scalar

struct TensorView {
  DType dtype = DType::F32;
  Shape shape;
  std::span<const std::uint8_t> bytes;  // little endian, row-major, maybe unaligned
  std::shared_ptr<const void> owner;    // keeps `bytes` mapped; shared because graphs outlive files
};

std::size_t element_count(const Shape& shape);
std::string to_string(const Shape& shape);  // "[320, 4, 3, 3]"

// Any floating dtype → float32. Integer dtypes are converted by value.
std::vector<float> to_float32(const TensorView& tensor);

float half_to_float(std::uint16_t half);
std::uint16_t float_to_half(float value);  // round to nearest even

}  // namespace limner::weights
