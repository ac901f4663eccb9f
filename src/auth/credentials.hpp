// What a request shows of itself, read from its head.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "http/headers.hpp"

namespace limner::auth {

struct Credentials {
  // From x-bf-vk, Authorization: Bearer, x-api-key, api-key, x-goog-api-key, in this order.
  std::optional<std::string> key;
  // From Authorization: Basic: the password, or the user name when the password is empty. Beside
  // `key` both have to be good, and `key` decides who it is.
  std::optional<std::string> basic_key;
};

// Two different keys are InvalidArgument with code "conflicting_credentials": one of them might be
// blocked. An Authorization that cannot be read is Unauthenticated.
Result<Credentials> read_credentials(const http::Headers& headers);

}  // namespace limner::auth
