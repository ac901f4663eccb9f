// Qwen3Model of transformers (Qwen Team 2025): the language model whose hidden states Z-Image reads
// its prompts from. Only the layers up to the last but one are run, since that is what it reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "diffusion/models/component.hpp"
#include "diffusion/models/joint_attention.hpp"
#include "nn/ops.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

struct Qwen3Config {
  std::int64_t vocab_size = 151'936;
  std::int64_t hidden_size = 4096;
  std::int64_t intermediate_size = 22'016;
  std::int64_t num_hidden_layers = 32;
  std::int64_t num_attention_heads = 32;
  std::int64_t num_key_value_heads = 32;  // each serves as many heads as its share
  std::int64_t head_dim = 128;
  std::string hidden_act = "silu";
  double rms_norm_eps = 1e-6;
  double rope_theta = 10'000;

  static Result<Qwen3Config> parse(const Component& component);
};

class Qwen3Model {
 public:
  // Takes the tensors' names with and without the causal language model's "model." before them.
  static Result<Qwen3Model> load(runtime::Runtime& runtime, Component component,
                                 const NetworkOptions& options = {});

  const Qwen3Config& config() const { return config_; }

  // ids [S] without padding → hidden_states[-2] [1, S, hidden_size], before the final norm.
  Result<runtime::Tensor> run(const std::vector<std::int64_t>& ids);

 private:
  Qwen3Model(runtime::Runtime& runtime, const Component& component, Qwen3Config config,
             const NetworkOptions& options);

  Qwen3Config config_;
  CompiledShapes shapes_;
};

// Angles of positions 0 to length - 1, [length, head_dim]: one for each number of a head's first
// half, and the same for its partner in the second.
RotaryEmbedding qwen3_rotary_embedding(std::int64_t length, const Qwen3Config& config);
// Qwen3DecoderLayer. x [B, S, hidden_size] → the same; each token sees those up to itself.
nn::Value qwen3_decoder_layer(const nn::Value& x, const RotaryEmbedding& rope,
                              const nn::WeightScope& w, const Qwen3Config& config);

}  // namespace limner::models
