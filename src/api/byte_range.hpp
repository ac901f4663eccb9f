// The `Range` header for one range of bytes (RFC 9110, 14).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

namespace limner::api {

struct ByteRange {
  std::size_t first = 0;
  std::size_t last = 0;  // inclusive
};
struct WholeFile {};           // no range, several, or one we may ignore
struct UnsatisfiableRange {};  // 416

using RangeAnswer = std::variant<WholeFile, ByteRange, UnsatisfiableRange>;

RangeAnswer parse_range(std::string_view header, std::size_t size);

}  // namespace limner::api
