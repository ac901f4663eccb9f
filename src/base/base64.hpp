// RFC 4648 base64 with padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace limner {

constexpr std::size_t base64_size(std::size_t byte_count) {
  return (byte_count + 2) / 3 * 4;
}

std::string base64_encode(std::span<const std::uint8_t> bytes);
// Onto the end of `text`, for documents that hold large pictures.
void append_base64(std::string& text, std::span<const std::uint8_t> bytes);

// Strict: the standard or the URL alphabet, padding optional, ASCII white space skipped, nothing
// else. An InvalidArgument error says at which character it went wrong.
Result<std::vector<std::uint8_t>> base64_decode(std::string_view text);

}  // namespace limner
