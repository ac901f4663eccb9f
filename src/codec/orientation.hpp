// EXIF's eight ways to hold a camera.
#pragma once

#include "core/image.hpp"

namespace limner::codec {

// 5 to 8 lie on their side.
bool swaps_sides(int orientation);

// The upright picture. 1, and anything outside 2 to 8, changes nothing.
Image apply_orientation(Image image, int orientation);

}  // namespace limner::codec
