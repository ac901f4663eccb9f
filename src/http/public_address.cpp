#include "http/public_address.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace limner::http {
namespace {

struct Network4 {
  std::uint32_t address;
  int bits;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// IANA's special-purpose registry, as of RFC 6890 and its successors.
constexpr std::array kSpecial4 = {
    Network4{v4(0, 0, 0, 0), 8},      Network4{v4(10, 0, 0, 0), 8},
    Network4{v4(100, 64, 0, 0), 10},  Network4{v4(127, 0, 0, 0), 8},
    Network4{v4(169, 254, 0, 0), 16}, Network4{v4(172, 16, 0, 0), 12},
    Network4{v4(192, 0, 0, 0), 24},   Network4{v4(192, 0, 2, 0), 24},
    Network4{v4(192, 88, 99, 0), 24}, Network4{v4(192, 168, 0, 0), 16},
    Network4{v4(198, 18, 0, 0), 15},  Network4{v4(198, 51, 100, 0), 24},
    Network4{v4(203, 0, 113, 0), 24}, Network4{v4(224, 0, 0, 0), 4},
    Network4{v4(240, 0, 0, 0), 4},
};

bool is_public4(std::uint32_t address) {
  for (const auto& network : kSpecial4) {
    const std::uint32_t mask = ~std::uint32_t{0} << (32 - network.bits);
    if ((address & mask) == network.address) return false;
  }
  return true;
}

using Bytes6 = std::array<std::uint8_t, 16>;

std::uint32_t v4_at(const Bytes6& bytes, std::size_t at) {
  return v4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

bool starts_with(const Bytes6& bytes, std::initializer_list<std::uint8_t> prefix) {
  std::size_t i = 0;
  for (const auto byte : prefix) {
    if (bytes[i++] != byte) return false;
  }
  return true;
}

// Only 2000::/3 is given out; within it the special parts are refused, or judged by what they hold.
bool is_public6(const Bytes6& b) {
  if (starts_with(b, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) return is_public4(v4_at(b, 12));
  // NAT64: the last four bytes are where it really goes.
  if (starts_with(b, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return is_public4(v4_at(b, 12));
  }
  if ((b[0] & 0xE0U) != 0x20U) return false;
  if (starts_with(b, {0x20, 0x02})) return is_public4(v4_at(b, 2));  // 6to4
  if (starts_with(b, {0x20, 0x01}) && b[2] < 0x02) return false;     // 2001::/23, Teredo too
  if (starts_with(b, {0x20, 0x01, 0x0D, 0xB8})) return false;        // documentation
  if (starts_with(b, {0x3F, 0xFF}) && b[2] < 0x10) return false;     // documentation
  return true;
}

}  // namespace

bool is_public(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return is_public4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    Bytes6 bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return is_public6(bytes);
  }
  return false;
}

bool is_public(const std::string& address) {
  in_addr v4_address{};
  if (::inet_pton(AF_INET, address.c_str(), &v4_address) == 1) {
    return is_public4(ntohl(v4_address.s_addr));
  }
  Bytes6 bytes{};
  return ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1 && is_public6(bytes);
}

}  // namespace limner::http
