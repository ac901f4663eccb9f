// The mean colour of marked pixels around every place, also of places far from any.
#pragma once

#include "cutout/plane.hpp"

namespace limner::cutout {

struct LocalColours {
  RgbPlanes mean;
  Plane variance;  // of the three channels together
  Plane presence;  // 0 where no marked pixel is near: `mean` is then 0
};

// Near pixels count most; far ones only where there are no near ones.
LocalColours local_colours(const RgbPlanes& picture, const Plane& weights, int near_px, int far_px);

}  // namespace limner::cutout
