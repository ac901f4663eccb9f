#include "diffusion/pipelines/unet_pipeline.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "diffusion/pipelines/latent_families.hpp"

namespace limner::pipelines {

Result<UNetPipeline::Opened> UNetPipeline::open(const std::string& name, const ModelFolder& folder,
                                                runtime::Runtime& runtime,
                                                nn::WeightFormat weight_format) {
  auto component = folder.open_component("unet");
  if (!component) return component.error();
  const std::size_t bytes = component->weights->size_bytes();
  auto unet = models::UNet2DConditionModel::load(
      runtime, *component,
      {.weight_format = weight_format, .shapes_max = NetworkScale::of(bytes).shapes_max});
  if (!unet) return unet.error();
  auto parts = open_parts(runtime, folder, bytes, weight_format);
  if (!parts) return parts.error();
  const auto& config = unet->config();
  ModelTraits traits =
      derive_traits(name, folder, *parts, std::max(config.sample_height, config.sample_width));
  if (config.sample_height > 0) {
    traits.defaults.size = {static_cast<int>(config.sample_width) * traits.size_multiple_px,
                            static_cast<int>(config.sample_height) * traits.size_multiple_px};
  }
  if (folder.class_name() == "LatentConsistencyModelPipeline" ||
      folder.class_name() == "LatentConsistencyModelImg2ImgPipeline") {
    parts->strength_shortens_schedule = true;
    traits.defaults.num_inference_steps = 4;
    traits.defaults.guidance_scale = 8.5;
  }
  if (takes_masked_picture(config.in_channels, parts->vae->config().latent_channels)) {
    traits.tasks = {Task::Inpaint};
  } else if (config.in_channels != parts->vae->config().latent_channels) {
    return Error{.kind = ErrorKind::Unsupported,
                 .message = name +
                            ": the unet's in_channels fit neither the vae's latents nor "
                            "inpainting",
                 .code = "unsupported_model"};
  }
  return Opened{*std::move(unet), *std::move(parts), std::move(traits)};
}

UNetPipeline::UNetPipeline(Opened opened)
    : LatentPipeline(std::move(opened.parts), std::move(opened.traits)),
      unet_(std::move(opened.unet)) {}

bool UNetPipeline::is_guided(const GenerationRequest& request) const {
  // Networks with a guidance input (LCM) take the scale itself instead of a second row.
  return LatentPipeline::is_guided(request) && unet_.config().time_cond_proj_dim == 0;
}

bool UNetPipeline::has_inpainting_network() const {
  return takes_masked_picture(unet_.config().in_channels, vae_config().latent_channels);
}

Result<void> UNetPipeline::predict(std::span<const NetworkRow> rows, LatentShape shape,
                                   std::span<float> noise_pred) {
  std::vector<float> sample, timesteps, embeds, text_embeds, time_ids, timestep_cond;
  std::vector<float> guidance(static_cast<std::size_t>(unet_.config().time_cond_proj_dim));
  for (const NetworkRow& row : rows) {
    append(sample, row.sample);
    append(sample, row.extra_channels);
    timesteps.push_back(row.timestep);
    append(embeds, row.conditioning->prompt_embeds->data());
    append(text_embeds, row.conditioning->pooled);
    append(time_ids, row.conditioning->time_ids);
    if (guidance.empty()) continue;
    // get_guidance_scale_embedding: sin then cos of 1000 (w - 1), frequencies over half - 1.
    models::sinusoidal_embedding(static_cast<float>(row.guidance_scale - 1.0) * 1000.0f,
                                 {.flip_sin_to_cos = false, .downscale_freq_shift = 1}, guidance);
    append(timestep_cond, guidance);
  }
  const auto sequence = rows.front().conditioning->prompt_embeds->shape()[1];
  return unet_.run({.rows = static_cast<std::int64_t>(rows.size()),
                    .height = shape.height,
                    .width = shape.width,
                    .sequence_length = static_cast<std::int64_t>(sequence),
                    .sample = sample,
                    .timesteps = timesteps,
                    .encoder_hidden_states = embeds,
                    .text_embeds = text_embeds,
                    .time_ids = time_ids,
                    .timestep_cond = timestep_cond},
                   noise_pred);
}

}  // namespace limner::pipelines
