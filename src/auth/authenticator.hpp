// Credentials → principal, from the head of a request alone.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_hash.hpp"
#include "auth/key_store.hpp"
#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "http/headers.hpp"

namespace limner::auth {

// Any thread.
class Authenticator {
 public:
  // `configured_keys` come from the configuration and may use every model. `store` may be null.
  // `clock` outlives this.
  Authenticator(const std::vector<std::string>& configured_keys, std::shared_ptr<KeyStore> store,
                const Clock& clock);

  // Other keys from now on. Who was asked for a key still is, also when none is left.
  void replace(const std::vector<std::string>& configured_keys, std::shared_ptr<KeyStore> store);

  // True while no key was ever seen: then everybody is the anonymous principal. Once there was one,
  // keys are asked for as long as the process lives: an emptied table lets nobody in.
  Result<bool> is_open() const;

  // One known key decides, whatever unknown ones stand beside it. Errors: Unauthenticated
  // "invalid_api_key" (none is known), PermissionDenied "access_blocked" (revoked or expired),
  // InvalidArgument "conflicting_credentials" (two known ones), Unavailable (the store).
  Result<Principal> authenticate(const http::Headers& headers) const;

 private:
  struct ConfiguredKey {
    KeyDigest digest;
    std::string id;
  };
  struct Keys {
    std::vector<ConfiguredKey> configured;
    std::shared_ptr<KeyStore> store;
  };
  struct Found {
    Principal principal;
    std::optional<Error> refusal;
  };
  std::shared_ptr<const Keys> keys() const;
  Result<bool> is_open(const Keys& keys) const;
  Result<std::optional<Found>> find(const Keys& keys, std::string_view key) const;

  const Pepper pepper_;  // of this process: configured keys are hashed only to be compared
  const Clock& clock_;
  // Shared with requests that are being asked while the keys are replaced.
  Guarded<std::shared_ptr<const Keys>> keys_;
  mutable std::atomic<bool> asks_for_keys_ = false;
};

// May the server start? Without any key only on loopback, or when the operator insists.
Result<void> check_exposure(std::string_view host, bool has_keys, bool is_insecure);

}  // namespace limner::auth
