#include "base/ids.hpp"

#include <array>
#include <cstring>

#include <openssl/rand.h>

#include "base/check.hpp"

namespace limner {

void fill_random(std::span<std::uint8_t> bytes) {
  const int ok = RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  LIMNER_CHECK(ok == 1, "the operating system gave no random bytes");
}

std::uint64_t random_u64() {
  std::array<std::uint8_t, 8> bytes{};
  fill_random(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::string random_id(std::string_view prefix) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::uint8_t, 16> bytes{};
  fill_random(bytes);
  std::string id(prefix);
  for (const auto byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

}  // namespace limner
