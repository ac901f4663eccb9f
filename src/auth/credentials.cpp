#include "auth/credentials.hpp"

#include <string_view>
#include <vector>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace limner::auth {
namespace {

Error unreadable() {
  return {.kind = ErrorKind::Unauthenticated,
          .message = "Authorization: expected \"Bearer KEY\" or \"Basic \" and base64 of user:key",
          .code = "invalid_api_key"};
}

Result<std::string> read_basic(std::string_view encoded) {
  const auto decoded = base64_decode(encoded);
  if (!decoded) return unreadable();
  const std::string text(decoded->begin(), decoded->end());
  const auto colon = text.find(':');
  if (colon == text.npos) return unreadable();
  auto password = text.substr(colon + 1);
  return password.empty() ? text.substr(0, colon) : password;
}

Result<void> read_authorization(std::string_view value, std::vector<std::string>& keys,
                                std::vector<std::string>& basic_keys) {
  value = trim(value);
  const auto space = value.find(' ');
  const auto scheme = value.substr(0, space);
  const auto rest = space == value.npos ? std::string_view{} : trim(value.substr(space + 1));
  if (rest.empty()) return unreadable();
  if (equals_ignoring_case(scheme, "Bearer")) {
    keys.emplace_back(rest);
    return {};
  }
  if (!equals_ignoring_case(scheme, "Basic")) return unreadable();
  auto key = read_basic(rest);
  if (!key) return key.error();
  basic_keys.push_back(std::move(*key));
  return {};
}

bool are_different(const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    if (key != keys.front()) return true;
  }
  return false;
}

}  // namespace

Result<Credentials> read_credentials(const http::Headers& headers) {
  std::vector<std::string> keys;
  std::vector<std::string> basic_keys;
  const auto take_all = [&](std::string_view name) {
    for (const auto value : headers.get_all(name)) {
      if (!trim(value).empty()) keys.emplace_back(trim(value));
    }
  };
  take_all("x-bf-vk");
  for (const auto value : headers.get_all("Authorization")) {
    auto read = read_authorization(value, keys, basic_keys);
    if (!read) return read.error();
  }
  take_all("x-api-key");
  take_all("api-key");
  take_all("x-goog-api-key");
  // Both keys are the caller's own, so this comparison tells nothing by its time.
  if (are_different(keys) || are_different(basic_keys)) {
    return Error{.kind = ErrorKind::InvalidArgument,
                 .message = "the request carries two different API keys, send one",
                 .code = "conflicting_credentials"};
  }
  Credentials credentials;
  if (!keys.empty()) credentials.key = std::move(keys.front());
  if (!basic_keys.empty()) credentials.basic_key = std::move(basic_keys.front());
  return credentials;
}

}  // namespace limner::auth
