// Pictures to latents and back: what every autoencoder of a pipeline can do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

// What pipelines must know of it; of config.json, with diffusers' names.
struct AutoencoderConfig {
  std::int64_t latent_channels = 4;
  double scaling_factor = 0.18215;
  std::optional<double> shift_factor = {};
  std::optional<std::vector<double>> latents_mean = {};
  std::optional<std::vector<double>> latents_std = {};
  std::size_t level_count = 4;

  // Pixels a latent's side stands for: every level but the last halves.
  std::int64_t scale() const { return std::int64_t{1} << (level_count - 1); }
};

class Autoencoder {
 public:
  virtual ~Autoencoder() = default;
  virtual const AutoencoderConfig& config() const = 0;

  // latents [B, C, h, w], already divided by scaling_factor → pixels [B, 3, H, W] around [-1, 1].
  // Rows are decoded one by one: activations at full size are what memory is spent on.
  virtual Result<runtime::Tensor> decode(std::span<const float> latents, std::int64_t height,
                                         std::int64_t width) = 0;
  // pixels [B, 3, H, W] in [-1, 1] → moments [B, 2C, h, w], mean, then log variance; or latents
  // [B, C, h, w] where nothing is left to chance.
  virtual Result<runtime::Tensor> encode(std::span<const float> pixels, std::int64_t height,
                                         std::int64_t width) = 0;
};

// AutoencoderTiny where the config says so, else AutoencoderKL.
Result<std::unique_ptr<Autoencoder>> load_autoencoder(runtime::Runtime& runtime,
                                                      const Component& component,
                                                      const NetworkOptions& options);

}  // namespace limner::models
