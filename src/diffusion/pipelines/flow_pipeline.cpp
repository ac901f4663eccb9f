#include "diffusion/pipelines/flow_pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "diffusion/pipelines/latent_families.hpp"

namespace limner::pipelines {
namespace {

// Those whose rule can follow a flow.
constexpr SchedulerKind kFlowSchedulers[] = {
    SchedulerKind::FlowMatchEuler, SchedulerKind::FlowMatchHeun, SchedulerKind::Dpmpp2m,
    SchedulerKind::UniPc,          SchedulerKind::DpmppSde,      SchedulerKind::Dpmpp2mSde,
    SchedulerKind::Deis,
};

// The solvers follow flows only when told to; a folder for FlowMatchEuler does not tell them.
void tell_solvers(schedulers::SchedulerConfig& config) {
  if (!config.class_name.starts_with("FlowMatch")) return;
  const auto* shift = config.listed.if_contains("shift");
  const json::value flow_shift = shift ? *shift : json::value(1.0);
  config.listed["prediction_type"] = "flow_prediction";
  config.listed["use_flow_sigmas"] = true;
  config.listed["flow_shift"] = flow_shift;
}

}  // namespace

FlowPipeline::FlowPipeline(Parts parts, ModelTraits traits, int patch_size)
    : LatentPipeline(std::move(parts), std::move(traits)), patch_size_(patch_size) {}

Result<LatentPipeline::Parts> FlowPipeline::open_flow_parts(runtime::Runtime& runtime,
                                                            const ModelFolder& folder,
                                                            std::size_t denoiser_bytes,
                                                            nn::WeightFormat weight_format) {
  auto parts = open_parts(runtime, folder, denoiser_bytes, weight_format);
  if (!parts) return parts;
  parts->scaling.shift = {parts->vae->config().shift_factor.value_or(0)};
  tell_solvers(parts->scheduler);
  tell_solvers(parts->inpaint_scheduler);
  return parts;
}

ModelTraits FlowPipeline::derive_flow_traits(const std::string& name, const ModelFolder& folder,
                                             const Parts& parts, std::int64_t sample_size,
                                             int patch_size) {
  ModelTraits traits = derive_traits(name, folder, parts, sample_size);
  traits.size_multiple_px *= patch_size;
  traits.side_px_min = traits.size_multiple_px;
  traits.schedulers.assign(std::begin(kFlowSchedulers), std::end(kFlowSchedulers));
  if (std::ranges::find(traits.schedulers, traits.defaults.scheduler) == traits.schedulers.end()) {
    traits.schedulers.push_back(traits.defaults.scheduler);
  }
  return traits;
}

schedulers::ScheduleRequest FlowPipeline::schedule(int steps, LatentShape shape) const {
  return {.num_inference_steps = steps,
          .image_sequence_length = (shape.height / patch_size_) * (shape.width / patch_size_)};
}

std::vector<double> FlowPipeline::even_sigmas(int steps) {
  // numpy's linspace(1, 1 / steps, steps), whose last value is set and not computed
  const double step = steps > 1 ? (1.0 / steps - 1.0) / (steps - 1) : 0.0;
  std::vector<double> sigmas;
  sigmas.reserve(static_cast<std::size_t>(steps));
  for (int i = 0; i < steps; ++i) sigmas.push_back(i * step + 1.0);
  if (steps > 1) sigmas.back() = 1.0 / steps;
  return sigmas;
}

// Unlike the UNets' pipelines, diffusers rounds here what is left out, not what is painted.
int FlowPipeline::first_call(int steps, double strength, int order) const {
  const double painted = std::min(steps * strength, static_cast<double>(steps));
  return static_cast<int>(std::max(steps - painted, 0.0)) * order;
}

models::TransformerInputs FlowPipeline::Gathered::inputs(LatentShape shape) const {
  return {.rows = static_cast<std::int64_t>(timesteps.size()),
          .height = shape.height,
          .width = shape.width,
          .sequence_length = sequence_length,
          .sample = sample,
          .timesteps = timesteps,
          .encoder_hidden_states = embeds,
          .pooled = pooled};
}

FlowPipeline::Gathered FlowPipeline::gather_rows(std::span<const NetworkRow> rows) {
  Gathered all;
  for (const NetworkRow& row : rows) {
    append(all.sample, row.sample);
    append(all.sample, row.extra_channels);
    all.timesteps.push_back(row.timestep);
    append(all.embeds, row.conditioning->prompt_embeds->data());
    append(all.pooled, row.conditioning->pooled);
  }
  all.sequence_length =
      static_cast<std::int64_t>(rows.front().conditioning->prompt_embeds->shape()[1]);
  return all;
}

}  // namespace limner::pipelines
