// Subject or background for every pixel of a small picture.
#pragma once

#include <cstdint>
#include <vector>

#include "cutout/plane.hpp"

namespace limner::cutout {

// [H, W] of 0 and 1; all 0 when nothing stands out from the border. Colours of both sides are
// learnt and the cheapest cut is found, in turns, beginning with what the border tells about the
// background (GrabCut, Rother et al. 2004, without a user's rectangle).
std::vector<std::uint8_t> segment(const RgbPlanes& picture);

}  // namespace limner::cutout
