#include "auth/authenticator.hpp"

#include <any>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "auth/credentials.hpp"

namespace limner::auth {
namespace {

// No key of ours is longer; hashing what nobody made is a waste.
constexpr std::size_t kKeyBytesMax = 512;
constexpr std::string_view kAnonymous = "anonymous";

Error unauthenticated(std::string message) {
  return {
      .kind = ErrorKind::Unauthenticated, .message = std::move(message), .code = "invalid_api_key"};
}

Error blocked(std::string message) {
  return {
      .kind = ErrorKind::PermissionDenied, .message = std::move(message), .code = "access_blocked"};
}

std::string short_id(const KeyDigest& digest) {
  std::string id = "config_";
  for (std::size_t i = 0; i < 6; ++i) id += fmt::format("{:02x}", digest[i]);
  return id;
}

bool is_loopback(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return host == "localhost" || host == "::1";
}

}  // namespace

Authenticator::Authenticator(const std::vector<std::string>& configured_keys,
                             std::shared_ptr<KeyStore> store, const Clock& clock)
    : pepper_(random_pepper()), store_(std::move(store)), clock_(clock) {
  for (const auto& key : configured_keys) {
    const auto digest = hash_key(pepper_, key);
    configured_.push_back({digest, short_id(digest)});
  }
}

Result<bool> Authenticator::is_open() const {
  if (!configured_.empty()) return false;
  if (!store_) return true;
  const auto has_keys = store_->has_keys();
  if (!has_keys) return has_keys.error();
  return !*has_keys;
}

Result<Principal> Authenticator::authenticate(const http::Headers& headers) const {
  const auto open = is_open();
  if (!open) return open.error();
  if (*open) return Principal{.id = std::string(kAnonymous), .name = {}, .models = {}};
  auto credentials = read_credentials(headers);
  if (!credentials) return credentials.error();
  const auto& key = credentials->key;
  const auto& basic_key = credentials->basic_key;
  if (!key && !basic_key) {
    return unauthenticated("no API key: send it as \"Authorization: Bearer KEY\"");
  }
  if (!key) return check_key(*basic_key);
  if (basic_key) {
    auto basic = check_key(*basic_key);
    if (!basic) return basic;
  }
  return check_key(*key);
}

Result<Principal> Authenticator::check_key(std::string_view key) const {
  const auto unknown = unauthenticated("the API key is not known here");
  if (key.size() > kKeyBytesMax) return unknown;
  const auto digest = hash_key(pepper_, key);
  const ConfiguredKey* match = nullptr;
  for (const auto& configured : configured_) {
    // All are compared, so that the time does not tell which one it was.
    if (are_equal(configured.digest, digest)) match = &configured;
  }
  if (match) return Principal{.id = match->id, .name = "configured key", .models = {}};
  if (!store_) return unknown;
  auto found = store_->find(key);
  if (!found) return found.error();
  if (!*found) return unknown;
  auto& record = **found;
  if (record.revoked) return blocked("this API key was revoked");
  if (record.is_expired(clock_.wall_now())) return blocked("this API key has expired");
  return Principal{.id = std::move(record.id),
                   .name = std::move(record.name),
                   .models = std::move(record.models)};
}

http::HeadHook make_head_hook(std::shared_ptr<const Authenticator> authenticator,
                              http::ErrorFormatter format_error) {
  return [authenticator = std::move(authenticator),
          format_error = std::move(format_error)](const http::Request& head) {
    auto principal = authenticator->authenticate(head.headers);
    if (!principal) return http::HeadDecision(format_error(principal.error(), head));
    // Whoever uses no key shares by address.
    std::string owner = principal->id == kAnonymous ? std::string() : principal->id;
    return http::HeadDecision(
        http::Admitted{.context = std::any(std::move(*principal)), .owner = std::move(owner)});
  };
}

Result<void> check_exposure(std::string_view host, bool has_keys, bool is_insecure) {
  if (has_keys || is_insecure || is_loopback(host)) return {};
  return Error{.kind = ErrorKind::PermissionDenied,
               .message = fmt::format("refusing to serve on {} without any API key: make one with "
                                      "`limner keys create`, or listen on 127.0.0.1, or insist "
                                      "with --insecure",
                                      host),
               .code = "no_keys"};
}

}  // namespace limner::auth
