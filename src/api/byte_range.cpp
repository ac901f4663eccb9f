#include "api/byte_range.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace limner::api {

RangeAnswer parse_range(std::string_view header, std::size_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return WholeFile{};
  header.remove_prefix(kUnit.size());
  const auto dash = header.find('-');
  if (dash == header.npos || header.find(',') != header.npos) return WholeFile{};
  const auto first_text = header.substr(0, dash);
  const auto last_text = header.substr(dash + 1);
  const auto first = parse_number<std::size_t>(first_text);
  const auto last = parse_number<std::size_t>(last_text);
  if (first_text.empty()) {  // "-500": the last 500 bytes
    if (!last) return WholeFile{};
    if (*last == 0 || size == 0) return UnsatisfiableRange{};
    return ByteRange{.first = size - std::min(*last, size), .last = size - 1};
  }
  if (!first || (!last_text.empty() && (!last || *last < *first))) return WholeFile{};
  if (*first >= size) return UnsatisfiableRange{};
  return ByteRange{.first = *first, .last = std::min(last.value_or(size - 1), size - 1)};
}

}  // namespace limner::api
