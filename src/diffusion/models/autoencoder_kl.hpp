// AutoencoderKL: pictures to latents and back (Rombach et al. 2022).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/autoencoder.hpp"

namespace limner::models {

struct AutoencoderKLConfig : AutoencoderConfig {
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::vector<std::string> down_block_types;
  std::vector<std::string> up_block_types;
  std::vector<std::int64_t> block_out_channels;
  std::int64_t layers_per_block = 1;
  std::string act_fn = "silu";
  int norm_num_groups = 32;
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;
  bool mid_block_add_attention = true;

  static Result<AutoencoderKLConfig> parse(const Component& component);
};

class AutoencoderKL final : public Autoencoder {
 public:
  static Result<AutoencoderKL> load(runtime::Runtime& runtime, const Component& component,
                                    const NetworkOptions& options = {});
  // Exporters make two networks of one autoencoder; the config is the decoder's.
  static Result<AutoencoderKL> load_halves(runtime::Runtime& runtime, const Component& decoder,
                                           const Component& encoder,
                                           const NetworkOptions& options = {});

  const AutoencoderKLConfig& config() const override { return config_; }

  Result<runtime::Tensor> decode(std::span<const float> latents, std::int64_t height,
                                 std::int64_t width) override;
  // → moments
  Result<runtime::Tensor> encode(std::span<const float> pixels, std::int64_t height,
                                 std::int64_t width) override;

 private:
  AutoencoderKL(runtime::Runtime& runtime, const Component& decoder, const Component& encoder,
                AutoencoderKLConfig config, const NetworkOptions& options);

  AutoencoderKLConfig config_;
  CompiledShapes decoder_;
  CompiledShapes encoder_;
};

}  // namespace limner::models
