// CLIPTextModel and CLIPTextModelWithProjection of transformers: the prompt's encoder in Stable
// Diffusion (Radford et al. 2021, OpenCLIP's variants).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

struct ClipTextConfig {
  std::int64_t vocab_size = 49408;
  std::int64_t hidden_size = 512;
  std::int64_t intermediate_size = 2048;
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_attention_heads = 8;
  std::int64_t max_position_embeddings = 77;
  std::string hidden_act = "quick_gelu";
  double layer_norm_eps = 1e-5;
  std::int64_t eos_token_id = 49407;
  std::int64_t projection_dim = 512;
  bool has_projection = false;  // CLIPTextModelWithProjection
  bool use_attention_mask = false;

  static Result<ClipTextConfig> parse(const Component& component);
};

class ClipTextModel {
 public:
  static Result<ClipTextModel> load(runtime::Runtime& runtime, const Component& component,
                                    const NetworkOptions& options = {});

  const ClipTextConfig& config() const { return config_; }

  struct Output {
    runtime::Tensor hidden;  // [B, S, D]
    runtime::Tensor pooled;  // [B, D or projection_dim]: the row at the end-of-text token
  };
  // ids: B rows of S token ids. `skip` 0: the last layer with the final layer norm (SD1, SD2).
  // 1 and more: diffusers' clip_skip, that many layers before, final layer norm applied.
  // `apply_final_norm` false: hidden_states[-(skip + 1)] as they are (SDXL, SD3).
  Result<Output> run(const std::vector<std::vector<std::int64_t>>& ids, int skip = 0,
                     bool apply_final_norm = true);

 private:
  ClipTextModel(runtime::Runtime& runtime, const Component& component, ClipTextConfig config,
                const NetworkOptions& options);

  ClipTextConfig config_;
  CompiledShapes shapes_;
};

// One layer, for tests against the reference. x [B, S, D] → [B, S, D].
nn::Value clip_encoder_layer(const nn::Value& x, const nn::Value& mask, const nn::WeightScope& w,
                             const ClipTextConfig& config);

}  // namespace limner::models
