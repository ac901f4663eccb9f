// Whom the server lets in: the keys of the configuration and of the store that `limner keys` fills.
#pragma once

#include <memory>

#include "auth/authenticator.hpp"
#include "config/config.hpp"

namespace limner::app {

// Refuses a configuration that would let other machines in without any key. A store that does not
// exist is not made: without a key there is nothing to keep.
Result<std::shared_ptr<auth::Authenticator>> open_keys(const config::Config& config);

// The store that `config` names; null when there is none.
Result<std::shared_ptr<auth::KeyStore>> open_key_store(const config::Config& config);

}  // namespace limner::app
