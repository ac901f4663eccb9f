#include "auth/web_guard.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace limner::auth {
namespace {

// The parts of "https://paint.example:8443"; nothing for "null" and what is no origin.
struct Origin {
  std::string scheme;
  Authority authority;
};

std::optional<Origin> parse_origin(std::string_view text) {
  for (const std::string_view scheme : {"http", "https"}) {
    const auto begin = std::string(scheme) + "://";
    if (!text.starts_with(begin)) continue;
    auto authority = parse_authority(text.substr(begin.size()));
    if (!authority) return std::nullopt;
    return Origin{.scheme = std::string(scheme), .authority = *std::move(authority)};
  }
  return std::nullopt;
}

std::string port_or_default(const std::string& port, std::string_view scheme) {
  if (!port.empty()) return port;
  return scheme == "https" ? "443" : "80";
}

// Of an address with a path, as --public-url may be.
std::string_view origin_part(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == url.npos) return {};
  return url.substr(0, url.find('/', begin + 3));
}

Error forbidden(std::string message, std::string code) {
  return {
      .kind = ErrorKind::PermissionDenied, .message = std::move(message), .code = std::move(code)};
}

}  // namespace

WebGuard::WebGuard(WebAccess access) : access_(std::move(access)) {
  const auto add = [&](std::string_view text) {
    if (auto authority = parse_authority(text)) names_.push_back(std::move(authority->host));
  };
  if (!is_address(access_.bound_host)) add(access_.bound_host);
  if (const auto origin = parse_origin(origin_part(access_.public_url))) {
    names_.push_back(origin->authority.host);
  }
  for (const auto& host : access_.hosts) {
    takes_every_name_ |= host == "*";
    add(host);
  }
}

bool WebGuard::is_own_host(std::string_view text) const {
  const auto authority = parse_authority(text);
  if (!authority) return false;
  const auto& host = authority->host;
  if (takes_every_name_ || is_loopback_host(host)) return true;
  if (std::ranges::find(names_, host) != names_.end()) return true;
  // Who listens for other machines is reached by addresses that it need not know, behind a
  // forwarded port for one; no name server can make a page's own name out of digits.
  return is_address(host) && !is_loopback_host(access_.bound_host);
}

Result<void> WebGuard::check_host(const http::Request& head) const {
  const auto host = head.header("Host");
  if (!host || host->empty() || is_own_host(*host)) return {};
  return forbidden(
      fmt::format("Host: \"{}\" is not a name of this server, which asks for no key and so answers "
                  "only to its own: use 127.0.0.1 or localhost, or let the operator name it with "
                  "--allowed-host or --public-url, or make a key with `limner keys create`",
                  *host),
      "host_not_allowed");
}

Result<void> WebGuard::check_page(const http::Request& head) const {
  const auto refuse = [](std::string_view who) {
    return forbidden(fmt::format("{} may not call this server, since no key shows that its owner "
                                 "wants that; let the operator name the page with --cors-origin",
                                 who),
                     "origin_not_allowed");
  };
  if (const auto origin = head.header("Origin")) {
    if (is_own_origin(*origin, head)) return {};
    return refuse(fmt::format("Origin: the web page \"{}\"", *origin));
  }
  // A picture or a form of another page, which browsers send without Origin.
  if (head.header("Sec-Fetch-Site").value_or("") == "cross-site") {
    return refuse("Sec-Fetch-Site: another web page");
  }
  return {};
}

bool WebGuard::is_own_origin(std::string_view text, const http::Request& head) const {
  for (const auto& allowed : access_.origins) {
    if (allowed == "*" || allowed == text) return true;
  }
  const auto origin = parse_origin(text);
  if (!origin) return false;
  const auto port = port_or_default(origin->authority.port, origin->scheme);
  const auto is_same = [&](const Authority& own, std::string_view scheme) {
    return own.host == origin->authority.host && port_or_default(own.port, scheme) == port;
  };
  if (const auto own = parse_origin(origin_part(access_.public_url))) {
    if (own->scheme == origin->scheme && is_same(own->authority, own->scheme)) return true;
  }
  // A page that came from here is asked for under the same Host as this request. Behind TLS the
  // page says https, so its own scheme stands for the port that Host leaves out.
  const auto host = parse_authority(head.header("Host").value_or(""));
  return host && is_same(*host, origin->scheme);
}

}  // namespace limner::auth
