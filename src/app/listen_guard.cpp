#include "app/listen_guard.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace limner::app {

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host == "::1" || host == "localhost";
}

Result<void> check_listening(const config::Config& config) {
  if (is_loopback(config.host) || config.is_insecure || !config.api_keys.empty()) return {};
  std::error_code failed;
  if (std::filesystem::exists(config.keys_db, failed)) return {};
  return invalid_value("",
                       fmt::format("--host {}: other machines could use this server without a key. "
                                   "Make one with `limner keys create NAME`, or pass --insecure to "
                                   "serve everybody",
                                   config.host),
                       "invalid_config");
}

}  // namespace limner::app
