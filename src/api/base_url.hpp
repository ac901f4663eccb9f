// Where the client of a request reaches this server: the beginning of picture urls.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "http/request.hpp"

namespace limner::api {

struct OwnAddress {
  std::string public_url = {};  // wins where it is set
  // May answers name this "host:port" as ours? Asked about what a proxy says. Empty: never.
  std::function<bool(std::string_view authority)> is_own_host = {};
};

// "https://paint.example". What a proxy on this machine says of its own client (X-Forwarded-Proto,
// X-Forwarded-Host) counts; from elsewhere anybody could say it.
std::string base_url_of(const http::Request& request, const OwnAddress& own);

}  // namespace limner::api
