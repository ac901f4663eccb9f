#include "auth/credentials.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace limner::auth {
namespace {

// Each costs a hash and a look into the store.
constexpr std::size_t kKeysMax = 8;

std::optional<std::string> read_basic(std::string_view encoded) {
  const auto decoded = base64_decode(encoded);
  if (!decoded) return std::nullopt;
  const std::string text(decoded->begin(), decoded->end());
  const auto colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  auto password = text.substr(colon + 1);
  return password.empty() ? text.substr(0, colon) : password;
}

// Nothing, or nothing but emptiness, when it cannot be read.
std::optional<std::string> read_authorization(std::string_view value) {
  value = trim(value);
  const auto space = value.find(' ');
  const auto scheme = value.substr(0, space);
  const auto rest = space == value.npos ? std::string_view{} : trim(value.substr(space + 1));
  if (equals_ignoring_case(scheme, "Bearer")) return std::string(rest);
  if (equals_ignoring_case(scheme, "Basic")) return read_basic(rest);
  return std::nullopt;
}

}  // namespace

Result<Credentials> read_credentials(const http::Headers& headers) {
  Credentials shown;
  // The keys are the caller's own, so comparing them tells nothing by its time.
  const auto add = [&](std::string key) {
    if (std::ranges::find(shown.keys, key) == shown.keys.end())
      shown.keys.push_back(std::move(key));
  };
  const auto add_all = [&](std::string_view name) {
    for (const auto value : headers.get_all(name)) {
      if (!trim(value).empty()) add(std::string(trim(value)));
    }
  };
  add_all("x-bf-vk");
  for (const auto value : headers.get_all("Authorization")) {
    auto key = read_authorization(value);
    if (key && !key->empty()) {
      add(*std::move(key));
    } else {
      shown.has_unreadable = true;
    }
  }
  add_all("x-api-key");
  add_all("api-key");
  add_all("x-goog-api-key");
  if (shown.keys.size() > kKeysMax) {
    return Error{.kind = ErrorKind::InvalidArgument,
                 .message = fmt::format("the request carries {} different API keys, at most {} are "
                                        "looked at",
                                        shown.keys.size(), kKeysMax),
                 .code = "conflicting_credentials"};
  }
  return shown;
}

}  // namespace limner::auth
