// Nobody serves the whole network without keys by accident.
#pragma once

#include "base/result.hpp"
#include "config/config.hpp"

namespace limner::app {

bool is_loopback(std::string_view host);

// An error that says what to do when other machines could reach a server without any key.
Result<void> check_listening(const config::Config& config);

}  // namespace limner::app
