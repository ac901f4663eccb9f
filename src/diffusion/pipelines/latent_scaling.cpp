#include "diffusion/pipelines/latent_scaling.hpp"

#include <algorithm>
#include <cstddef>

namespace limner::pipelines {
namespace {

// Value of a channel in a list with one entry for all or one each.
float at_channel(const std::vector<double>& list, std::size_t i, std::size_t plane) {
  return static_cast<float>(list.size() == 1 ? list.front() : list[i / plane]);
}

}  // namespace

void LatentScaling::to_denoiser(std::span<float> z) const {
  const std::size_t plane = z.size() / std::max<std::size_t>(factor.size(), 1);
  for (std::size_t i = 0; i < z.size(); ++i) {
    z[i] = (z[i] - at_channel(shift, i, plane)) * at_channel(factor, i, plane);
  }
}

void LatentScaling::to_vae(std::span<float> z, bool adds_shift) const {
  const std::size_t plane = z.size() / std::max<std::size_t>(factor.size(), 1);
  for (std::size_t i = 0; i < z.size(); ++i) {
    z[i] /= at_channel(factor, i, plane);
    if (adds_shift) z[i] += at_channel(shift, i, plane);
  }
}

}  // namespace limner::pipelines
