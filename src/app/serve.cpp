#include <cstdio>

#include <fmt/format.h>

#include "app/app.hpp"
#include "app/commands.hpp"
#include "app/signals.hpp"
#include "app/version.hpp"
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

}  // namespace

int serve(const config::Config& config) {
  Signals signals;
  auto app = App::create(config);
  if (!app) {
    fmt::print(stderr, "limner: {}\n", app.error().message);
    return kExitUsage;
  }
  (*app)->start();
  print_banner(**app, config);
  signals.wait();
  log::info("stopping: requests that run may finish within {} s", config.shutdown_timeout.count());
  (*app)->stop();
  return kExitGood;
}

}  // namespace limner::app
