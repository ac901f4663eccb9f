// One case held to its picture.
#pragma once

#include "diffusion/pipelines/pipeline.hpp"
#include "parity/manifest.hpp"

namespace limner::parity {

// Paints the case, prints what it measured and fails the test where that is beyond the tolerance.
void check_case(pipelines::Pipeline& pipeline, const Case& c);

}  // namespace limner::parity
