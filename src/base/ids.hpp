// Identifiers that nobody can guess.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace limner {

// Bytes from the operating system's generator.
void fill_random(std::span<std::uint8_t> bytes);
std::uint64_t random_u64();

// `prefix` and 128 random bits in lower-case hex: random_id("req_") → req_3f….
std::string random_id(std::string_view prefix);

}  // namespace limner
