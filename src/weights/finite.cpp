#include "weights/finite.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/finite.hpp"

namespace limner::weights {
namespace {

// Numbers looked at together, without a branch, so that the compiler takes several at once.
constexpr std::size_t kBlock = 4096;

template <typename T>
T read_at(const std::uint8_t* bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
  return value;
}

// Magnitudes are ordered as their bits; those from `first_unusable` on are none.
template <typename T>
std::optional<std::size_t> find_from(const TensorView& tensor, T first_unusable) {
  constexpr T kMagnitude = static_cast<T>(~(T{1} << (8 * sizeof(T) - 1)));
  const std::size_t count = tensor.bytes.size() / sizeof(T);
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::uint8_t* bytes = tensor.bytes.data() + begin * sizeof(T);
    const std::size_t size = std::min(kBlock, count - begin);
    T largest = 0;
    for (std::size_t i = 0; i < size; ++i) {
      largest = std::max(largest, static_cast<T>(read_at<T>(bytes, i) & kMagnitude));
    }
    if (largest < first_unusable) continue;
    for (std::size_t i = 0;; ++i) {
      if (static_cast<T>(read_at<T>(bytes, i) & kMagnitude) >= first_unusable) return begin + i;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> find_unusable(const TensorView& tensor) {
  switch (tensor.dtype) {
    case DType::F64:
      return find_from<std::uint64_t>(tensor, 0x43f0'0000'0000'0000u);  // 2^64
    case DType::F32:
      return find_from<std::uint32_t>(tensor, kUnusableFloatBits);
    case DType::BF16:
      return find_from<std::uint16_t>(tensor, kUnusableFloatBits >> 16);
    case DType::F16:
      return find_from<std::uint16_t>(tensor, 0x7c00);  // infinity
    case DType::F8E5M2:
      return find_from<std::uint8_t>(tensor, 0x7c);  // infinity
    case DType::F8E4M3:
      return find_from<std::uint8_t>(tensor, 0x7f);  // NaN
    case DType::I64:
    case DType::I32:
    case DType::I16:
    case DType::I8:
    case DType::U8:
    case DType::Bool:
    case DType::Other:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace limner::weights
