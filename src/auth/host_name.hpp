// Hosts as they stand in Host and Origin: "localhost:8080", "[::1]", "paint.example".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace limner::auth {

struct Authority {
  std::string host;  // lower case, without brackets and a last dot
  std::string port;  // empty when none is written
};

// Nothing when it is no "host", "host:port" or "[v6]:port".
std::optional<Authority> parse_authority(std::string_view text);

// "localhost", 127.0.0.0/8, ::1, also as ::ffff:127.0.0.1.
bool is_loopback_host(std::string_view host);
// "0.0.0.0" and "::": every address of the machine.
bool is_any_address(std::string_view host);
// An address in digits: no name server has a say in where it leads.
bool is_address(std::string_view host);

}  // namespace limner::auth
