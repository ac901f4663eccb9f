// Whom a request is counted for where limits are per address.
#pragma once

#include <string>
#include <string_view>

#include "http/connection.hpp"
#include "http/headers.hpp"

namespace limner::http {

// "192.0.2.7", "2001:db8:1:2::/64" (one household or machine has a whole /64), and empty for this
// machine and for what is no address: it may be a proxy in front of everybody.
std::string network_of(std::string_view address);

// Whose share of the memory for bodies a request takes, while no key is known: the peer's network,
// or, when a proxy on this machine says for whom it asks, that client's.
std::string body_owner(const Peer& peer, const Headers& headers);

}  // namespace limner::http
