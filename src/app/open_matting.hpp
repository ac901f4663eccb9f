// How `serve` tells subjects from backgrounds.
#pragma once

#include <memory>

#include "app/pipelines_source.hpp"
#include "config/config.hpp"
#include "cutout/matting.hpp"

namespace limner::app {

// By the network that comes with the program, or without one. The answer must not outlive `source`.
// Error: the network was asked for and is not there.
Result<std::unique_ptr<const cutout::Matting>> open_matting(config::MattingMethod method,
                                                            PipelinesSource& source);

}  // namespace limner::app
