#include "auth/authenticator.hpp"

#include <utility>

#include <fmt/format.h>

#include "auth/credentials.hpp"
#include "auth/host_name.hpp"

namespace limner::auth {
namespace {

// No key of ours is longer; hashing what nobody made is a waste.
constexpr std::size_t kKeyBytesMax = 512;

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

Error conflicting() {
  return {.kind = ErrorKind::InvalidArgument,
          .message = "the request carries two different API keys that are known here, send one",
          .code = "conflicting_credentials"};
}

// Of a request whose keys, if there are any, are all unknown.
Error nobody(const Credentials& shown) {
  if (!shown.keys.empty()) return unauthenticated("the API key is not known here");
  if (shown.has_unreadable) {
    return unauthenticated(
        "Authorization: expected \"Bearer KEY\" or \"Basic \" and base64 of user:key");
  }
  return unauthenticated("no API key: send it as \"Authorization: Bearer KEY\"");
}

}  // namespace

Authenticator::Authenticator(const std::vector<std::string>& configured_keys,
                             std::shared_ptr<KeyStore> store, const Clock& clock)
    : pepper_(random_pepper()), clock_(clock) {
  replace(configured_keys, std::move(store));
}

void Authenticator::replace(const std::vector<std::string>& configured_keys,
                            std::shared_ptr<KeyStore> store) {
  Keys keys{.configured = {}, .store = std::move(store)};
  for (const auto& key : configured_keys) {
    const auto digest = hash_key(pepper_, key);
    keys.configured.push_back({digest, short_id(digest)});
  }
  if (!keys.configured.empty()) asks_for_keys_ = true;
  auto shared = std::make_shared<const Keys>(std::move(keys));
  keys_.with([&](auto& current) { current = std::move(shared); });
}

std::shared_ptr<const Authenticator::Keys> Authenticator::keys() const {
  return keys_.with([](const auto& current) { return current; });
}

Result<bool> Authenticator::is_open() const {
  return is_open(*keys());
}

Result<bool> Authenticator::is_open(const Keys& keys) const {
  if (asks_for_keys_) return false;
  if (!keys.store) return true;
  const auto has_keys = keys.store->has_keys();
  if (!has_keys) return has_keys.error();
  if (*has_keys) asks_for_keys_ = true;
  return !*has_keys;
}

Result<Principal> Authenticator::authenticate(const http::Headers& headers) const {
  const auto keys = this->keys();
  const auto open = is_open(*keys);
  if (!open) return open.error();
  if (*open) return Principal::anonymous();
  const auto shown = read_credentials(headers);
  if (!shown) return shown.error();
  // All are looked up, also behind a known one, so that the time does not tell which one it was.
  std::vector<Found> known;
  for (const auto& key : shown->keys) {
    auto found = find(*keys, key);
    if (!found) return found.error();
    if (*found) known.push_back(std::move(**found));
  }
  if (known.size() > 1) return conflicting();
  if (known.empty()) return nobody(*shown);
  if (known.front().refusal) return *std::move(known.front().refusal);
  return std::move(known.front().principal);
}

Result<std::optional<Authenticator::Found>> Authenticator::find(const Keys& keys,
                                                                std::string_view key) const {
  if (key.size() > kKeyBytesMax) return std::optional<Found>();
  const auto digest = hash_key(pepper_, key);
  const ConfiguredKey* match = nullptr;
  for (const auto& configured : keys.configured) {
    // All are compared, so that the time does not tell which one it was.
    if (are_equal(configured.digest, digest)) match = &configured;
  }
  if (match) {
    return std::optional(
        Found{.principal = {.id = match->id, .name = "configured key", .models = {}},
              .refusal = std::nullopt});
  }
  if (!keys.store) return std::optional<Found>();
  auto stored = keys.store->find(key);
  if (!stored) return stored.error();
  if (!*stored) return std::optional<Found>();
  auto& record = **stored;
  Found found{.principal = {.id = std::move(record.id),
                            .name = std::move(record.name),
                            .models = std::move(record.models)},
              .refusal = std::nullopt};
  if (record.revoked) {
    found.refusal = blocked("this API key was revoked");
  } else if (record.is_expired(clock_.wall_now())) {
    found.refusal = blocked("this API key has expired");
  }
  return std::optional(std::move(found));
}

Result<void> check_exposure(std::string_view host, bool has_keys, bool is_insecure) {
  if (has_keys || is_insecure || is_loopback_host(host)) return {};
  return Error{.kind = ErrorKind::PermissionDenied,
               .message = fmt::format("refusing to serve on {} without any API key: make one with "
                                      "`limner keys create`, or listen on 127.0.0.1, or insist "
                                      "with --insecure",
                                      host),
               .code = "no_keys"};
}

}  // namespace limner::auth
