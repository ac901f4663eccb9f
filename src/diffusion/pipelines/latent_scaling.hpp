// Between the VAE's latents and the denoiser's: (z - shift) * factor, per channel where a list has
// several entries.
#pragma once

#include <span>
#include <vector>

namespace limner::pipelines {

struct LatentScaling {
  std::vector<double> shift;
  std::vector<double> factor;

  // z [C, h, w]
  void to_denoiser(std::span<float> z) const;
  // Some tasks of a family decode without the shift that encoding took away.
  void to_vae(std::span<float> z, bool adds_shift) const;
};

}  // namespace limner::pipelines
