#include "app/open_keys.hpp"

#include <filesystem>
#include <utility>

#include "auth/key_store.hpp"

namespace limner::app {

Result<std::shared_ptr<auth::KeyStore>> open_key_store(const config::Config& config) {
  std::error_code failed;
  if (!std::filesystem::exists(config.keys_db, failed)) return std::shared_ptr<auth::KeyStore>();
  auto opened = auth::KeyStore::open(config.keys_db, system_clock());
  if (!opened) return opened.error();
  return std::shared_ptr<auth::KeyStore>(*std::move(opened));
}

Result<std::shared_ptr<auth::Authenticator>> open_keys(const config::Config& config) {
  auto store = open_key_store(config);
  if (!store) return store.error();
  auto authenticator =
      std::make_shared<auth::Authenticator>(config.api_keys, *std::move(store), system_clock());
  const auto is_open = authenticator->is_open();
  if (!is_open) return is_open.error();
  auto allowed = auth::check_exposure(config.host, !*is_open, config.is_insecure);
  if (!allowed) return allowed.error();
  return authenticator;
}

}  // namespace limner::app
