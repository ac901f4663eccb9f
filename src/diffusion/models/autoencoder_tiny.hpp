// AutoencoderTiny (TAESD, Boer Bohan 2023): an autoencoder of plain convolutions, a fraction of
// the cost of the one it imitates.
#pragma once

#include <string>
#include <vector>

#include "diffusion/models/autoencoder.hpp"

namespace limner::models {

struct AutoencoderTinyConfig : AutoencoderConfig {
  std::vector<std::int64_t> num_encoder_blocks;
  std::vector<std::int64_t> num_decoder_blocks;
  std::string act_fn = "relu";

  static Result<AutoencoderTinyConfig> parse(const Component& component);
};

class AutoencoderTiny final : public Autoencoder {
 public:
  static Result<std::unique_ptr<Autoencoder>> load(runtime::Runtime& runtime,
                                                   const Component& component,
                                                   const NetworkOptions& options);

  const AutoencoderConfig& config() const override { return config_; }
  Result<runtime::Tensor> decode(std::span<const float> latents, std::int64_t height,
                                 std::int64_t width) override;
  // → the latents themselves
  Result<runtime::Tensor> encode(std::span<const float> pixels, std::int64_t height,
                                 std::int64_t width) override;

 private:
  AutoencoderTiny(runtime::Runtime& runtime, const Component& decoder, const Component& encoder,
                  AutoencoderTinyConfig config, const NetworkOptions& options);

  AutoencoderTinyConfig config_;
  CompiledShapes decoder_;
  CompiledShapes encoder_;
};

}  // namespace limner::models
