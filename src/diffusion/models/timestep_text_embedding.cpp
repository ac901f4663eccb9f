#include "diffusion/models/timestep_text_embedding.hpp"

#include <utility>
#include <vector>

#include "diffusion/models/timestep_embedding.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

using nn::Value;

namespace {

runtime::Tensor formed(std::span<const float> values, TimeForm form) {
  if (form == TimeForm::Plain) {
    return runtime::Tensor({values.size()}, std::vector<float>(values.begin(), values.end()));
  }
  runtime::Tensor out({values.size(), static_cast<std::size_t>(kTimeChannels)});
  for (std::size_t i = 0; i < values.size(); ++i) sinusoidal_embedding(values[i], {}, out.row(i));
  return out;
}

}  // namespace

Value timestep_text_embedding(const TimestepText& in, const nn::WeightScope& w) {
  Value time = timestep_embedding(in.time, w / "timestep_embedder");
  if (in.guidance) time = time + timestep_embedding(in.guidance, w / "guidance_embedder");
  return time + timestep_embedding(in.pooled, w / "text_embedder");
}

Result<void> run_transformer(runtime::CompiledNetwork& network, const TransformerInputs& in,
                             TimeForm form, std::span<float> velocity) {
  const auto side = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const std::size_t rows = side(in.rows);
  const std::size_t area = rows * side(in.height) * side(in.width);
  const std::size_t tokens = rows * side(in.sequence_length);
  const runtime::Tensor time = formed(in.timesteps, form);
  const runtime::Tensor guidance = formed(in.guidance, form);
  std::vector<runtime::Input> inputs{
      {"sample", {rows, in.sample.size() / area, side(in.height), side(in.width)}, in.sample},
      {"timestep", time.shape(), time.data()},
      {"encoder_hidden_states",
       {rows, side(in.sequence_length), in.encoder_hidden_states.size() / tokens},
       in.encoder_hidden_states},
      {"pooled", {rows, in.pooled.size() / rows}, in.pooled}};
  if (!in.guidance.empty()) inputs.push_back({"guidance", guidance.shape(), guidance.data()});
  const runtime::Output output{"velocity", velocity};
  return network.run(inputs, {&output, 1});
}

}  // namespace limner::models
