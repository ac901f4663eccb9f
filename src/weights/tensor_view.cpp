#include "weights/tensor_view.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.hpp"

namespace limner::weights {
namespace {

template <typename T>
T read_at(std::span<const std::uint8_t> bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

// 8-bit floats of `exponent_bits`; E4M3 is the "fn" kind without infinities.
float small_to_float(std::uint8_t bits, int exponent_bits, int bias, bool has_infinity) {
  const int mantissa_bits = 7 - exponent_bits;
  const int exponent_max = (1 << exponent_bits) - 1;
  const int exponent = bits >> mantissa_bits & exponent_max;
  const int mantissa = bits & ((1 << mantissa_bits) - 1);
  float magnitude = 0;
  if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(mantissa), 1 - bias - mantissa_bits);
  } else if (exponent == exponent_max && (has_infinity || mantissa == (1 << mantissa_bits) - 1)) {
    magnitude = mantissa == 0 ? INFINITY : NAN;
  } else {
    magnitude = std::ldexp(static_cast<float>(mantissa + (1 << mantissa_bits)),
                           exponent - bias - mantissa_bits);
  }
  return bits & 0x80 ? -magnitude : magnitude;
}

template <typename F>
std::vector<float> convert(std::size_t count, F&& at) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(at(i));
  return out;
}

// 8-bit numbers through a table of all that there are.
template <typename F>
std::vector<float> looked_up(std::span<const std::uint8_t> bytes, F&& number) {
  std::array<float, 256> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = number(static_cast<std::uint8_t>(i));
  return convert(bytes.size(), [&](auto i) { return numbers[bytes[i]]; });
}

std::vector<float> values_of(const TensorView& tensor) {
  const std::size_t count = element_count(tensor.shape);
  const auto b = tensor.bytes;
  switch (tensor.dtype) {
    case DType::F64:
      return convert(count, [&](auto i) { return read_at<double>(b, i); });
    case DType::F32:
      return convert(count, [&](auto i) { return read_at<float>(b, i); });
    case DType::F16:
      return convert(count, [&](auto i) { return half_to_float(read_at<std::uint16_t>(b, i)); });
    case DType::BF16:
      return convert(count, [&](auto i) {
        return std::bit_cast<float>(std::uint32_t{read_at<std::uint16_t>(b, i)} << 16);
      });
    case DType::F8E4M3:
      return looked_up(b, [](std::uint8_t bits) { return small_to_float(bits, 4, 7, false); });
    case DType::F8E5M2:
      return looked_up(b, [](std::uint8_t bits) { return small_to_float(bits, 5, 15, true); });
    case DType::I64:
      return convert(count, [&](auto i) { return read_at<std::int64_t>(b, i); });
    case DType::I32:
      return convert(count, [&](auto i) { return read_at<std::int32_t>(b, i); });
    case DType::I16:
      return convert(count, [&](auto i) { return read_at<std::int16_t>(b, i); });
    case DType::I8:
      return convert(count, [&](auto i) { return read_at<std::int8_t>(b, i); });
    case DType::U8:
    case DType::Bool:
      return convert(count, [&](auto i) { return b[i]; });
    case DType::Other:
      break;
  }
  return {};
}

}  // namespace

std::size_t size_bytes(DType dtype) {
  switch (dtype) {
    case DType::F64:
    case DType::I64:
      return 8;
    case DType::F32:
    case DType::I32:
      return 4;
    case DType::F16:
    case DType::BF16:
    case DType::I16:
      return 2;
    case DType::F8E4M3:
    case DType::F8E5M2:
    case DType::I8:
    case DType::U8:
    case DType::Bool:
    case DType::Other:
      return 1;
  }
  return 0;
}

std::string dtype_name(const TensorView& tensor) {
  switch (tensor.dtype) {
    case DType::F64:
      return "F64";
    case DType::F32:
      return "F32";
    case DType::F16:
      return "F16";
    case DType::BF16:
      return "BF16";
    case DType::F8E4M3:
      return "F8_E4M3";
    case DType::F8E5M2:
      return "F8_E5M2";
    case DType::I64:
      return "I64";
    case DType::I32:
      return "I32";
    case DType::I16:
      return "I16";
    case DType::I8:
      return "I8";
    case DType::U8:
      return "U8";
    case DType::Bool:
      return "BOOL";
    case DType::Other:
      return tensor.other_dtype;
  }
  return "unknown";
}

bool is_floating(DType dtype) {
  switch (dtype) {
    case DType::F64:
    case DType::F32:
    case DType::F16:
    case DType::BF16:
    case DType::F8E4M3:
    case DType::F8E5M2:
      return true;
    case DType::I64:
    case DType::I32:
    case DType::I16:
    case DType::I8:
    case DType::U8:
    case DType::Bool:
    case DType::Other:
      return false;
  }
  return false;
}

bool is_weight(const TensorView& tensor) {
  return is_floating(tensor.dtype) || !tensor.scales.empty();
}

std::size_t element_count(const Shape& shape) {
  std::size_t count = 1;
  for (const auto side : shape) count *= static_cast<std::size_t>(side);
  return count;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i ? ", " : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

// Without branches, so that whole tensors are converted several numbers at a time.
float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = (half & 0x7fffu) << 13;
  // Bits moved into place are too small by the difference of the biases, subnormals included.
  const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
  const std::uint32_t bits = magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : finite;
  return std::bit_cast<float>(sign | bits);
}

std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {
    // Subnormal: the value in units of 2^-24, rounded to even by the float unit itself.
    const float scaled = std::bit_cast<float>(magnitude) * 16777216.0f;
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(scaled)));
  }
  const std::uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
  return static_cast<std::uint16_t>(sign | (rounded - 0x38000000u) >> 13);
}

std::vector<float> to_float32(const TensorView& tensor) {
  LIMNER_CHECK(tensor.dtype != DType::Other &&
               tensor.bytes.size() == element_count(tensor.shape) * size_bytes(tensor.dtype));
  std::vector<float> values = values_of(tensor);
  if (tensor.scales.empty()) return values;
  const std::size_t row_size = values.size() / tensor.scales.size();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= tensor.scales[i / row_size];
  return values;
}

}  // namespace limner::weights
