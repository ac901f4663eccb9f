// Flags, environment and file → one checked Config. A flag beats the environment, which beats the
// file, which beats the default.
#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "config/config.hpp"

namespace limner::config {

using Environment = std::map<std::string, std::string>;

// The LIMNER_… variables of this process, and HOME and XDG_… for the default folders.
Environment read_environment();

// Errors say where the text stood, what came and what is allowed.
Result<Config> load_config(int argc, const char* const* argv, const Environment& environment);

}  // namespace limner::config
