// Makes a mask follow the edges of a picture: around every place the mask is written as a linear
// function of colour (He, Sun, Tang, PAMI 2013). The functions are found on a small picture and may
// be applied to a large one.
#pragma once

#include "cutout/plane.hpp"

namespace limner::cutout {

struct LinearFunctions {
  RgbPlanes slope;
  Plane offset;
};

// `smoothness`: variance of colour below which a window counts as flat.
LinearFunctions fit_guided(const RgbPlanes& guide, const Plane& mask, int radius_px,
                           float smoothness);

}  // namespace limner::cutout
