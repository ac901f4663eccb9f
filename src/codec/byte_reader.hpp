// Integers out of untrusted bytes, bounds checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace limner::codec {

enum class ByteOrder { Big, Little };

using Bytes = std::span<const std::uint8_t>;

// The `size` bytes at `offset`; absent when they reach beyond the end.
inline std::optional<Bytes> slice(Bytes bytes, std::size_t offset, std::size_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

inline std::optional<std::uint32_t> read_uint(Bytes bytes, std::size_t offset, std::size_t size,
                                              ByteOrder order) {
  const auto part = slice(bytes, offset, size);
  if (!part) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8 | (*part)[order == ByteOrder::Big ? i : size - 1 - i];
  }
  return value;
}

inline std::optional<std::uint32_t> read_u16(Bytes bytes, std::size_t offset, ByteOrder order) {
  return read_uint(bytes, offset, 2, order);
}

inline std::optional<std::uint32_t> read_u32(Bytes bytes, std::size_t offset, ByteOrder order) {
  return read_uint(bytes, offset, 4, order);
}

}  // namespace limner::codec
