// Which addresses are on the public internet: what a server may be sent to by an address that a
// client wrote.
#pragma once

#include <string>

#include <sys/socket.h>

namespace limner::http {

// False for private, local, shared, documentation, multicast and reserved networks, for their forms
// inside IPv6 (mapped, translated, 6to4, Teredo), and for other families.
bool is_public(const sockaddr& address);

// The same of text such as "10.0.0.1" or "::1"; false when it is no address.
bool is_public(const std::string& address);

}  // namespace limner::http
