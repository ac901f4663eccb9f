// What a request shows of itself, read from its head.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "http/headers.hpp"

namespace limner::auth {

struct Credentials {
  // From x-bf-vk, Authorization, x-api-key, api-key, x-goog-api-key, each once. Of Basic the
  // password counts, or the user name where the password is empty.
  std::vector<std::string> keys;
  // There is an Authorization that is neither Bearer nor Basic, or shows nothing.
  bool has_unreadable = false;
};

// InvalidArgument "conflicting_credentials" when there are more keys than anybody sends.
Result<Credentials> read_credentials(const http::Headers& headers);

}  // namespace limner::auth
