#include "http/client_address.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

namespace limner::http {
namespace {

namespace ip = boost::asio::ip;

std::string network_of_v6(const ip::address_v6& address) {
  auto bytes = address.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return ip::address_v6(bytes).to_string() + "/64";
}

// The last address of the list: what the nearest proxy has seen itself.
std::string_view last_forwarded(const Headers& headers) {
  const auto fields = headers.get_all("X-Forwarded-For");
  if (fields.empty()) return {};
  auto last = fields.back();
  last.remove_prefix(std::min(last.find_last_of(", ") + 1, last.size()));
  return last;
}

}  // namespace

std::string network_of(std::string_view address) {
  boost::system::error_code ec;
  auto parsed = ip::make_address(std::string(address), ec);
  if (ec) return {};
  if (parsed.is_v6() && parsed.to_v6().is_v4_mapped()) {
    parsed = ip::make_address_v4(ip::v4_mapped, parsed.to_v6());
  }
  if (parsed.is_loopback()) return {};
  return parsed.is_v6() ? network_of_v6(parsed.to_v6()) : parsed.to_string();
}

std::string body_owner(const Peer& peer, const Headers& headers) {
  return peer.network.empty() ? network_of(last_forwarded(headers)) : peer.network;
}

}  // namespace limner::http
