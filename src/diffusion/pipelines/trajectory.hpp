// One image on its way from noise: latents, scheduler and generator. A request has one for each of
// its images, so that image i of n is the same alone as in company.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "diffusion/schedulers/scheduler.hpp"

namespace limner::pipelines {

struct Trajectory {
  std::uint64_t seed = 0;
  schedulers::TorchGenerator generator;
  std::unique_ptr<schedulers::Scheduler> scheduler;
  std::vector<float> latents;  // [C, h, w]

  // Kept for inpainting on a 4-channel network, which pastes the known part back at each step.
  std::vector<float> image_latents = {};  // [C, h, w], clean
  std::vector<float> noise = {};          // [C, h, w]
  // For 9-channel networks: mask and masked image, appended to the network's input.
  std::vector<float> extra_channels = {};  // [5, h, w]
  // What the last call predicted as the clean latent; filled only when previews are wanted.
  std::vector<float> predicted_original = {};

  explicit Trajectory(std::uint64_t image_seed) : seed(image_seed), generator(image_seed) {}
};

// noise_pred = uncond + scale * (text - uncond), element by element (Ho & Salimans 2022).
void apply_guidance(std::span<const float> uncond, std::span<const float> text, float scale,
                    std::span<float> noise_pred);

}  // namespace limner::pipelines
