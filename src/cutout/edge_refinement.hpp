// From a mask of a small copy to alpha at full size: edges follow the picture's own.
#pragma once

#include "cutout/plane.hpp"

namespace limner::cutout {

// `mask`: share of subject, 0 to 1, of `rgb` shrunk or stretched to the mask's size. Where the mask
// is all subject or all background for `band_px` around, the answer is; between, the picture's
// colours decide. One channel of rgb's size.
Image refine_edges(const Image& rgb, Plane mask, int band_px);

}  // namespace limner::cutout
