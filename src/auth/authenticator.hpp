// Credentials → principal, from the head of a request alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_hash.hpp"
#include "auth/key_store.hpp"
#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/headers.hpp"
#include "http/route_table.hpp"
#include "http/server.hpp"

namespace limner::auth {

// Any thread.
class Authenticator {
 public:
  // `configured_keys` come from the configuration and may use every model. `store` may be null.
  // `clock` outlives this.
  Authenticator(const std::vector<std::string>& configured_keys, std::shared_ptr<KeyStore> store,
                const Clock& clock);

  // True while there is no key at all: then everybody is the anonymous principal.
  Result<bool> is_open() const;

  // Errors: Unauthenticated "invalid_api_key" (none, or unknown), PermissionDenied "access_blocked"
  // (revoked or expired), InvalidArgument "conflicting_credentials", Unavailable (the store).
  Result<Principal> authenticate(const http::Headers& headers) const;

 private:
  Result<Principal> check_key(std::string_view key) const;

  struct ConfiguredKey {
    KeyDigest digest;
    std::string id;
  };
  const Pepper pepper_;  // of this process: configured keys are hashed only to be compared
  std::vector<ConfiguredKey> configured_;
  std::shared_ptr<KeyStore> store_;
  const Clock& clock_;
};

// For Route::on_head: the Principal in Exchange::context(), or the error as `format_error` puts it.
http::HeadHook make_head_hook(std::shared_ptr<const Authenticator> authenticator,
                              http::ErrorFormatter format_error);

// May the server start? Without any key only on loopback, or when the operator insists.
Result<void> check_exposure(std::string_view host, bool has_keys, bool is_insecure);

}  // namespace limner::auth
