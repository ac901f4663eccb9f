#include "base/printable.hpp"

#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace limner {
namespace {

// C0, DEL and C1.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

}  // namespace

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string out;
  std::size_t used = 0;
  while (used < text.size()) {
    const CodePoint next = decode_code_point(text.substr(used));
    const auto bytes = text.substr(used, next.size_bytes);
    used += bytes.size();
    if (used > bytes_max) return out.append("…");
    if (next.is_valid && !is_control(next.value)) {
      out.append(bytes);
      continue;
    }
    for (const char c : bytes) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(c));
    }
  }
  return out;
}

}  // namespace limner
