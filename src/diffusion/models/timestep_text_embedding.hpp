// What every block of SD3 and FLUX is modulated by: the time, the pooled text and, in distilled
// networks, the guidance scale (CombinedTimestepTextProjEmbeddings, …Guidance…).
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "nn/ops.hpp"
#include "runtime/runtime.hpp"

namespace limner::models {

constexpr std::int64_t kTimeChannels = 256;  // of the sinusoids

struct TimestepText {
  nn::Value time;      // [B, 256], sinusoids
  nn::Value guidance;  // [B, 256], sinusoids; empty without guidance_embeds
  nn::Value pooled;    // [B, D_pooled]
};
// → temb [B, D]
nn::Value timestep_text_embedding(const TimestepText& in, const nn::WeightScope& w);

// What a transformer is called with: B rows, each with its own time. Spans are row-major and
// borrowed for the call.
struct TransformerInputs {
  std::int64_t rows = 0;
  std::int64_t height = 0;  // of the latent
  std::int64_t width = 0;
  std::int64_t sequence_length = 0;
  std::span<const float> sample;                 // [B, C_in, h, w]
  std::span<const float> timesteps;              // [B], of 1000
  std::span<const float> encoder_hidden_states;  // [B, S, D]
  std::span<const float> pooled;                 // [B, D_pooled]
  std::span<const float> guidance = {};          // [B], of 1000; absent without guidance_embeds
};
// Runs a network whose inputs are called sample, timestep, encoder_hidden_states, pooled and, where
// there is guidance, guidance. velocity [B, C_out, h, w].
// Networks of our own take times and guidance as sinusoids [B, 256], exported ones as they are [B].
enum class TimeForm { Sinusoids, Plain };
Result<void> run_transformer(runtime::CompiledNetwork& network, const TransformerInputs& in,
                             TimeForm form, std::span<float> velocity);

}  // namespace limner::models
