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
    const auto size = utf8_sequence_size(rest);
    if (used + (size == 0 ? 1 : size) > bytes_max) return out.append("…");
    if (size == 0 || is_control(rest)) {
      for (const char c : rest.substr(0, size == 0 ? 1 : size)) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(c));
      }
    } else {
      out.append(rest.substr(0, size));
    }
    used += size == 0 ? 1 : size;
  }
  return out;
}

}  // namespace limner
