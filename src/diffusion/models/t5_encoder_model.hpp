// T5EncoderModel of transformers: the long-prompt encoder of SD3, FLUX and their kin (Raffel et al.
// 2020; v1.1 with gated GELU).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "nn/ops.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

struct T5Config {
  std::int64_t vocab_size = 32128;
  std::int64_t d_model = 512;
  std::int64_t d_kv = 64;
  std::int64_t d_ff = 2048;
  std::int64_t num_layers = 6;
  std::int64_t num_heads = 8;
  std::int64_t relative_attention_num_buckets = 32;
  std::int64_t relative_attention_max_distance = 128;
  double layer_norm_epsilon = 1e-6;
  std::string act_fn = "relu";
  bool is_gated_act = false;

  // Reads feed_forward_proj: "relu", "gated-gelu", …
  static Result<T5Config> parse(const Component& component);
};

class T5EncoderModel {
 public:
  static Result<T5EncoderModel> load(runtime::Runtime& runtime, Component component,
                                     const NetworkOptions& options = {});

  const T5Config& config() const { return config_; }

  // ids [S] with their padding → hidden states [1, S, d_model]. Padding is attended to like text,
  // as the pipelines of SD3 and FLUX do.
  Result<runtime::Tensor> run(const std::vector<std::int64_t>& ids);

 private:
  T5EncoderModel(runtime::Runtime& runtime, const Component& component, T5Config config,
                 const NetworkOptions& options);

  T5Config config_;
  CompiledShapes shapes_;
};

// The bucket [S, S] of each key's distance from each query: near ones apart, far ones together.
std::vector<std::int64_t> t5_relative_buckets(std::int64_t length, std::int64_t bucket_count,
                                              std::int64_t max_distance);
// What attention adds to its scores [1, H, S, S]; `w` holds relative_attention_bias.
nn::Value t5_position_bias(std::int64_t length, const nn::WeightScope& w, const T5Config& config);
// One block. x [B, S, d_model] → the same.
nn::Value t5_block(const nn::Value& x, const nn::Value& position_bias, const nn::WeightScope& w,
                   const T5Config& config);

}  // namespace limner::models
