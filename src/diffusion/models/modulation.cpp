#include "diffusion/models/modulation.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

Value modulate(const Value& x, const Value& shift, const Value& scale) {
  return x * (scale + 1.0) + shift;
}

Value plain_layer_norm(const Value& x) {
  return nn::layer_norm(x, 1e-6);
}

std::vector<Value> modulation(const Value& temb, const WeightScope& w, int count) {
  return nn::chunk(nn::unsqueeze(nn::linear(nn::silu(temb), w / "linear"), 1), count, -1);
}

Modulated ada_layer_norm_zero(const Value& x, const Value& temb, const WeightScope& w) {
  const auto m = modulation(temb, w, 6);
  return {.x = modulate(plain_layer_norm(x), m[0], m[1]),
          .gate_msa = m[2],
          .shift_mlp = m[3],
          .scale_mlp = m[4],
          .gate_mlp = m[5]};
}

Modulated ada_layer_norm_zero_x(const Value& x, const Value& temb, const WeightScope& w) {
  const auto m = modulation(temb, w, 9);
  const Value n = plain_layer_norm(x);
  return {.x = modulate(n, m[0], m[1]),
          .gate_msa = m[2],
          .shift_mlp = m[3],
          .scale_mlp = m[4],
          .gate_mlp = m[5],
          .x_2 = modulate(n, m[6], m[7]),
          .gate_msa_2 = m[8]};
}

Value ada_layer_norm_continuous(const Value& x, const Value& temb, const WeightScope& w) {
  const auto m = modulation(temb, w, 2);
  return modulate(plain_layer_norm(x), m[1], m[0]);  // here the scale comes first
}

}  // namespace limner::models
