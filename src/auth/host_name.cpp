#include "auth/host_name.hpp"

#include <algorithm>

#include <arpa/inet.h>

#include "base/text.hpp"

namespace limner::auth {
namespace {

constexpr std::size_t kNameBytesMax = 253;  // of DNS

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<in_addr> parse_v4(std::string_view host) {
  in_addr address{};
  const std::string text(host);
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::optional<in6_addr> parse_v6(std::string_view host) {
  in6_addr address{};
  const std::string text(host);
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  return address;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos || !parse_v6(text.substr(1, end - 1))) return std::nullopt;
    authority.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const auto end = std::min(text.find(':'), text.size());
    authority.host = text.substr(0, end);
    rest = text.substr(end);
  }
  authority.host = ascii_lower(authority.host);
  if (!text.starts_with('[')) {
    if (authority.host.ends_with('.')) authority.host.pop_back();
    const bool is_name = !authority.host.empty() && authority.host.size() <= kNameBytesMax &&
                         std::ranges::all_of(authority.host, is_name_character);
    if (!is_name) return std::nullopt;
  }
  if (rest.empty()) return authority;
  if (!rest.starts_with(':') || !is_port(rest.substr(1))) return std::nullopt;
  authority.port = rest.substr(1);
  return authority;
}

bool is_loopback_host(std::string_view host) {
  if (const auto v4 = parse_v4(host)) return (ntohl(v4->s_addr) >> 24) == 127;
  if (const auto v6 = parse_v6(host)) {
    if (IN6_IS_ADDR_V4MAPPED(&*v6)) return v6->s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&*v6);
  }
  return host == "localhost";
}

bool is_any_address(std::string_view host) {
  if (const auto v4 = parse_v4(host)) return v4->s_addr == 0;
  const auto v6 = parse_v6(host);
  return v6 && IN6_IS_ADDR_UNSPECIFIED(&*v6);
}

bool is_address(std::string_view host) {
  return parse_v4(host) || parse_v6(host);
}

}  // namespace limner::auth
