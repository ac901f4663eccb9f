// One logger for the process, over spdlog: `log::info("loaded {} in {:.1f} s", name, seconds)`.
// Never a prompt, a key or bytes of an upload.
#pragma once

#include <string_view>

#include <spdlog/spdlog.h>

#include "base/result.hpp"

namespace limner::log {

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

// To stderr, `level` one of trace debug info warn error off. Called once, by main.
Result<void> init(std::string_view level);

}  // namespace limner::log
