// The subcommands. Each returns the process's exit status.
#pragma once

#include <functional>

#include "base/result.hpp"
#include "config/config.hpp"

namespace limner::app {

inline constexpr int kExitGood = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// The configuration as it would be read now.
using ReadConfig = std::function<Result<config::Config>()>;

int serve(const config::Config& config, const ReadConfig& read_again);
int generate(const config::Config& config);
int bench(const config::Config& config);
int list_models(const config::Config& config);
// create, list and revoke, by config.command.
int keys(const config::Config& config);

// From main's arguments to an exit status; catches what libraries throw.
int run(int argc, const char* const* argv);

}  // namespace limner::app
