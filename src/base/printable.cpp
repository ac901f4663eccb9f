#include "base/printable.hpp"

#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace limner {
namespace {

// C0, DEL, and C1 in its UTF-8 form.
bool is_control(std::string_view character) {
  const auto first = static_cast<std::uint8_t>(character[0]);
  if (first < 0x20 || first == 0x7F) return true;
  return first == 0xC2 && static_cast<std::uint8_t>(character[1]) < 0xA0;
}

}  // namespace

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string out;
  std::size_t used = 0;
  while (used < text.size()) {
    const auto rest = text.substr(used);
    const CodePoint first = decode_code_point(rest);
    if (used + first.size_bytes > bytes_max) return out.append("…");
    const auto bytes = rest.substr(0, first.size_bytes);
    if (!first.is_valid || is_control(rest)) {
      for (const char c : bytes) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(c));
      }
    } else {
      out.append(bytes);
    }
    used += first.size_bytes;
  }
  return out;
}

}  // namespace limner
