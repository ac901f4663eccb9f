#include <cstdio>

#include <fmt/format.h>

#include "app/app.hpp"
#include "app/commands.hpp"
#include "app/signals.hpp"
#include "app/version.hpp"
#include "base/background_log.hpp"
#include "base/log.hpp"

namespace limner::app {
namespace {

void print_banner(const App& app, const config::Config& config) {
  const std::string key =
      config.api_keys.empty() ? "" : " \\\n    -H 'Authorization: Bearer YOUR_KEY'";
  fmt::print(
      "limner {} on {}\n"
      "  model  {}\n"
      "  docs   {}/docs\n"
      "  try    curl -s {}/v1/images/generations -H 'Content-Type: application/json'{} \\\n"
      "           -d '{{\"prompt\":\"a red apple\"}}' | python3 -c 'import "
      "sys,json,base64;open(\"apple.png\",\"wb\").write("
      "base64.b64decode(json.load(sys.stdin)[\"data\"][0][\"b64_json\"]))'\n",
      kVersion, app.address(), app.default_model(), app.address(), app.address(), key);
  std::fflush(stdout);
}

// What is wrong with the new configuration is said, and the old one goes on.
void reload(App& app, const ReadConfig& read_again) {
  log::info("SIGHUP: reading the models again");
  const auto config = read_again();
  const auto taken = config ? app.reload(*config) : Result<void>(config.error());
  if (!taken) log::error("the models stay as they were: {}", taken.error().message);
}

}  // namespace

int serve(const config::Config& config, const ReadConfig& read_again) {
  Signals signals;
  const log::Background log_thread;
  auto app = App::create(config);
  if (!app) {
    fmt::print(stderr, "limner: {}\n", app.error().message);
    return kExitUsage;
  }
  (*app)->start();
  print_banner(**app, config);
  while (signals.wait() == Signals::Wish::Reload) reload(**app, read_again);
  log::info("stopping: requests that run may finish within {} s", config.shutdown_timeout.count());
  (*app)->stop();
  return kExitGood;
}

}  // namespace limner::app
