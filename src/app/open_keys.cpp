#include "app/open_keys.hpp"

#include <filesystem>
#include <utility>

#include "auth/key_store.hpp"

namespace limner::app {

Result<std::shared_ptr<const auth::Authenticator>> open_keys(const config::Config& config) {
  std::shared_ptr<auth::KeyStore> store;
  std::error_code failed;
  if (std::filesystem::exists(config.keys_db, failed)) {
    auto opened = auth::KeyStore::open(config.keys_db, system_clock());
    if (!opened) return opened.error();
    store = *std::move(opened);
  }
  auto authenticator = std::make_shared<const auth::Authenticator>(
      config.api_keys, std::move(store), system_clock());
  const auto is_open = authenticator->is_open();
  if (!is_open) return is_open.error();
  auto allowed = auth::check_exposure(config.host, !*is_open, config.is_insecure);
  if (!allowed) return allowed.error();
  return authenticator;
}

}  // namespace limner::app
