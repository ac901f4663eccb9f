#include "cutout/local_colours.hpp"

#include <algorithm>

namespace limner::cutout {
namespace {

constexpr float kFarWeight = 1e-2f;
constexpr float kPresenceMin = 1e-9f;

Plane near_and_far_mean(const Plane& plane, int near_px, int far_px) {
  Plane out = box_mean(plane, near_px);
  const Plane far = box_mean(plane, far_px);
  for (std::size_t i = 0; i < out.values.size(); ++i) out.values[i] += kFarWeight * far.values[i];
  return out;
}

}  // namespace

LocalColours local_colours(const RgbPlanes& picture, const Plane& weights, int near_px,
                           int far_px) {
  LocalColours local;
  local.presence = near_and_far_mean(weights, near_px, far_px);
  Plane squares(weights.size);
  for (std::size_t c = 0; c < 3; ++c) {
    const Plane weighted = multiply(picture[c], weights);
    local.mean[c] = near_and_far_mean(weighted, near_px, far_px);
    for (std::size_t i = 0; i < squares.values.size(); ++i) {
      squares.values[i] += weighted.values[i] * picture[c].values[i];
    }
  }
  local.variance = near_and_far_mean(squares, near_px, far_px);
  for (std::size_t i = 0; i < local.presence.values.size(); ++i) {
    float& presence = local.presence.values[i];
    if (presence < kPresenceMin) presence = 0;
    const float scale = presence > 0 ? 1.0f / presence : 0.0f;
    float squared_mean = 0;
    for (auto& plane : local.mean) {
      plane.values[i] *= scale;
      squared_mean += plane.values[i] * plane.values[i];
    }
    local.variance.values[i] = std::max(0.0f, local.variance.values[i] * scale - squared_mean);
  }
  return local;
}

}  // namespace limner::cutout
