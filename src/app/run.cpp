#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "app/commands.hpp"
#include "app/version.hpp"
#include "base/log.hpp"
#include "config/load_config.hpp"

namespace limner::app {
namespace {

int dispatch(const config::Config& config, const ReadConfig& read_again) {
  using config::Command;
  switch (config.command) {
    case Command::Help:
      fmt::print("{}", config.help);
      return kExitGood;
    case Command::Version:
      fmt::print("limner {}\n", kVersion);
      return kExitGood;
    case Command::Serve:
      return serve(config, read_again);
    case Command::Generate:
      return generate(config);
    case Command::Bench:
      return bench(config);
    case Command::Models:
      return list_models(config);
    case Command::KeysCreate:
    case Command::KeysList:
    case Command::KeysRevoke:
      return keys(config);
  }
  return kExitUsage;
}

}  // namespace

int run(int argc, const char* const* argv) {
  try {
    auto config = config::load_config(argc, argv, config::read_environment());
    if (!config) {
      fmt::print(stderr, "limner: {}\n", config.error().message);
      return kExitUsage;
    }
    if (auto logging = log::init(config->log_level); !logging) {
      fmt::print(stderr, "limner: {}\n", logging.error().message);
      return kExitUsage;
    }
    for (const auto& warning : config->warnings) log::warn("{}", warning);
    return dispatch(*config,
                    [&] { return config::load_config(argc, argv, config::read_environment()); });
  } catch (const std::exception& e) {
    fmt::print(stderr, "limner: {}\n", e.what());
    return kExitFailed;
  }
}

}  // namespace limner::app
