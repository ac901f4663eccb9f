#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "app/app.hpp"
#include "app/commands.hpp"
#include "app/signals.hpp"
#include "app/version.hpp"
#include "base/log.hpp"

namespace limner::app {
namespace {

void print_banner(const App& app) {
  const std::string key =
      app.asks_for_keys() ? " \\\n           -H 'Authorization: Bearer YOUR_KEY'" : "";
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
  log::info("SIGHUP: reading models, keys and blocklist again");
  const auto config = read_again();
  const auto taken = config ? app.reload(*config) : Result<void>(config.error());
  if (!taken) log::error("models, keys and blocklist stay as they were: {}", taken.error().message);
}

// Ends the process when its clean end hangs: a load cannot be interrupted, nor can a disk that does
// not answer. Who manages services would wait for ever, or kill without a word.
class LastResort {
 public:
  explicit LastResort(std::chrono::seconds after)
      : thread_([after](std::stop_token stop) {
          std::mutex mutex;
          std::condition_variable_any never;
          std::unique_lock lock(mutex);
          never.wait_for(lock, stop, after, [] { return false; });
          if (stop.stop_requested()) return;
          log::error("ending without a clean end: work still hangs {} s after the signal",
                     after.count());
          spdlog::shutdown();
          _exit(kExitFailed);
        }) {}

 private:
  std::jthread thread_;
};

// For what is under way when --shutdown-timeout is over: the last bytes, a step, a load.
constexpr std::chrono::seconds kEndGrace{10};

}  // namespace

int serve(const config::Config& config, const ReadConfig& read_again) {
  Signals signals;
  std::optional<LastResort> last_resort;  // ends after the app does
  auto app = App::create(config);
  if (!app) {
    fmt::print(stderr, "limner: {}\n", app.error().message);
    return kExitUsage;
  }
  (*app)->start();
  print_banner(**app);
  while (signals.wait() == Signals::Wish::Reload) reload(**app, read_again);
  log::info("stopping: requests that run may finish within {} s", config.shutdown_timeout.count());
  last_resort.emplace(config.shutdown_timeout + kEndGrace);
  (*app)->stop();
  return kExitGood;
}

}  // namespace limner::app
