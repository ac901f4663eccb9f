// What keeps other people's web pages away from a server that asks for no key. A browser on the
// same machine carries requests of any page to it. Two things tell, and no page can forge either:
// where the page comes from (Origin, Sec-Fetch-Site), and under which name it reached us (Host),
// which is foreign when the page's own name was made to lead here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/host_name.hpp"
#include "base/result.hpp"
#include "http/request.hpp"

namespace limner::auth {

struct WebAccess {
  std::string bound_host = "127.0.0.1";   // as configured: an address or a name
  std::string public_url = {};            // how clients reach the server; may be empty
  std::vector<std::string> hosts = {};    // further names of it; "*" is every one
  std::vector<std::string> origins = {};  // pages that may call it; "*" is every one
};

class WebGuard {
 public:
  explicit WebGuard(WebAccess access);

  // PermissionDenied "host_not_allowed": the request was sent to a name that is not ours. Requests
  // without Host come from no browser.
  Result<void> check_host(const http::Request& head) const;
  // PermissionDenied "origin_not_allowed": a page that is neither ours nor allowed sent it.
  Result<void> check_page(const http::Request& head) const;

  // May answers name `authority` ("paint.example:8443") as this server?
  bool is_own_host(std::string_view authority) const;

 private:
  bool is_own_origin(std::string_view origin, const http::Request& head) const;

  const WebAccess access_;
  std::vector<std::string> names_;  // of ours beside the addresses, lower case
  bool takes_every_name_ = false;
};

}  // namespace limner::auth
