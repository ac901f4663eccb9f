// AutoencoderKL: pictures to latents and back (Rombach et al. 2022).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

struct AutoencoderKLConfig {
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::vector<std::string> down_block_types;
  std::vector<std::string> up_block_types;
  std::vector<std::int64_t> block_out_channels;
  std::int64_t layers_per_block = 1;
  std::string act_fn = "silu";
  std::int64_t latent_channels = 4;
  int norm_num_groups = 32;
  double scaling_factor = 0.18215;
  std::optional<double> shift_factor;
  std::optional<std::vector<double>> latents_mean;
  std::optional<std::vector<double>> latents_std;
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;
  bool mid_block_add_attention = true;

  // Pixels a latent's side stands for: every level but the last halves.
  std::int64_t scale() const { return std::int64_t{1} << (block_out_channels.size() - 1); }
  static Result<AutoencoderKLConfig> parse(const Component& component);
};

class AutoencoderKL {
 public:
  static Result<AutoencoderKL> load(runtime::Runtime& runtime, const Component& component,
                                    const NetworkOptions& options = {});

  const AutoencoderKLConfig& config() const { return config_; }

  // latents [B, C, h, w], already divided by scaling_factor → pixels [B, 3, H, W] around [-1, 1].
  // Rows are decoded one by one: activations at full size are what memory is spent on.
  Result<runtime::Tensor> decode(std::span<const float> latents, std::int64_t rows,
                                 std::int64_t height, std::int64_t width);
  // pixels [B, 3, H, W] in [-1, 1] → moments [B, 2C, h, w]: mean, then log variance.
  Result<runtime::Tensor> encode(std::span<const float> pixels, std::int64_t rows,
                                 std::int64_t height, std::int64_t width);

 private:
  AutoencoderKL(runtime::Runtime& runtime, const Component& decoder, const Component& encoder,
                AutoencoderKLConfig config, const NetworkOptions& options);

  AutoencoderKLConfig config_;
  CompiledShapes decoder_;
  CompiledShapes encoder_;
};

}  // namespace limner::models
