#include "api/base_url.hpp"

#include <fmt/format.h>

#include "auth/host_name.hpp"
#include "base/text.hpp"

namespace limner::api {
namespace {

// The proxy nearest to the client comes first.
std::string_view first_of_list(std::string_view list) {
  return trim(list.substr(0, list.find(',')));
}

}  // namespace

std::string base_url_of(const http::Request& request, const OwnAddress& own) {
  if (!own.public_url.empty()) return own.public_url;
  std::string_view scheme = "http";
  auto host = request.header("Host").value_or("");
  if (auth::is_loopback_host(request.remote_address)) {
    const auto forwarded = first_of_list(request.header("X-Forwarded-Proto").value_or(""));
    if (equals_ignoring_case(forwarded, "https")) scheme = "https";
    const auto asked = first_of_list(request.header("X-Forwarded-Host").value_or(""));
    if (!asked.empty() && own.is_own_host && own.is_own_host(asked)) host = asked;
  }
  return fmt::format("{}://{}", scheme, host.empty() ? "localhost" : host);
}

}  // namespace limner::api
