// Layer norms that a conditioning vector scales and shifts: adaLN of diffusion transformers
// (Peebles & Xie 2023). Their own norm has no weights and an epsilon of 1e-6.
#pragma once

#include <vector>

#include "nn/ops.hpp"

namespace limner::models {

// x [B, S, D], scale and shift [B, 1, D]: x * (1 + scale) + shift.
nn::Value modulate(const nn::Value& x, const nn::Value& shift, const nn::Value& scale);

// The layer norm below every modulation.
nn::Value plain_layer_norm(const nn::Value& x);

// `linear` of silu(temb [B, D_t]) in `count` parts of [B, 1, D], which broadcast over tokens.
std::vector<nn::Value> modulation(const nn::Value& temb, const nn::WeightScope& w, int count);

// What AdaLayerNormZero makes of a block's input.
struct Modulated {
  nn::Value x;  // [B, S, D], ready for attention
  nn::Value gate_msa = {}, shift_mlp = {}, scale_mlp = {}, gate_mlp = {};
  nn::Value x_2 = {}, gate_msa_2 = {};  // of SD35AdaLayerNormZeroX: for the second attention
};
Modulated ada_layer_norm_zero(const nn::Value& x, const nn::Value& temb, const nn::WeightScope& w);
Modulated ada_layer_norm_zero_x(const nn::Value& x, const nn::Value& temb,
                                const nn::WeightScope& w);

// AdaLayerNormContinuous: the norm before a network's last layer.
nn::Value ada_layer_norm_continuous(const nn::Value& x, const nn::Value& temb,
                                    const nn::WeightScope& w);

}  // namespace limner::models
