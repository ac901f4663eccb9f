#include "diffusion/pipelines/flux.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/latent_families.hpp"
#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {
namespace {

constexpr int kPatchSize = 2;     // packed into one token
constexpr int kSampleSize = 128;  // of the latent; no config says it
constexpr int kT5Length = 512;

// The defaults of diffusers' FLUX pipelines; schnell's are from its model card.
struct Defaults {
  int steps;
  double guidance_scale;
};
constexpr Defaults kDev{28, 3.5};
constexpr Defaults kSchnell{4, 0.0};
constexpr Defaults kFill{50, 30.0};
constexpr double kStrength = 0.6;
constexpr double kFillStrength = 1.0;

// Fill reads, beside the latents, the masked picture's and every pixel of the mask.
bool is_fill(const models::FluxTransformerConfig& transformer,
             const models::AutoencoderConfig& vae) {
  return transformer.in_channels == 4 * (2 * vae.latent_channels + vae.scale() * vae.scale());
}

// mask [1, H, W] → [scale * scale, h, w]: the pixels below each latent as channels.
std::vector<float> fold_mask(std::span<const float> mask, std::size_t height, std::size_t width,
                             std::size_t scale) {
  std::vector<float> folded;
  folded.reserve(mask.size());
  const std::size_t row = width * scale;
  for (std::size_t down = 0; down < scale; ++down) {
    for (std::size_t right = 0; right < scale; ++right) {
      for (std::size_t y = 0; y < height; ++y) {
        for (std::size_t x = 0; x < width; ++x) {
          folded.push_back(mask[(y * scale + down) * row + x * scale + right]);
        }
      }
    }
  }
  return folded;
}

}  // namespace

FluxPipeline::FluxPipeline(models::FluxTransformer2DModel transformer, ClipPromptEncoder clip,
                           T5PromptEncoder t5, Parts parts, ModelTraits traits)
    : FlowPipeline(std::move(parts), std::move(traits), kPatchSize),
      transformer_(std::move(transformer)),
      clip_(std::move(clip)),
      t5_(std::move(t5)) {}

Result<void> FluxPipeline::check_fit(const std::string& name,
                                     const models::FluxTransformerConfig& transformer,
                                     const ClipPromptEncoder& clip, const T5PromptEncoder& t5,
                                     const models::AutoencoderConfig& vae) {
  if (transformer.in_channels != 4 * vae.latent_channels && !is_fill(transformer, vae)) {
    return misfit(name, fmt::format("the transformer's in_channels are {}, expected four times the "
                                    "vae's {} latent channels, or those of Fill",
                                    transformer.in_channels, vae.latent_channels));
  }
  if (transformer.out_channels != 4 * vae.latent_channels) {
    return misfit(name, "the transformer's out_channels are not four times the vae's channels");
  }
  const auto pooled =
      clip.config().has_projection ? clip.config().projection_dim : clip.config().hidden_size;
  if (pooled != transformer.pooled_projection_dim) {
    return misfit(name, fmt::format("text_encoder is {} wide, the transformer expects {}", pooled,
                                    transformer.pooled_projection_dim));
  }
  if (t5.config().d_model != transformer.joint_attention_dim) {
    return misfit(name, fmt::format("text_encoder_2 is {} wide, the transformer expects {}",
                                    t5.config().d_model, transformer.joint_attention_dim));
  }
  return {};
}

Result<std::unique_ptr<Pipeline>> FluxPipeline::load(const std::string& name,
                                                     const ModelFolder& folder,
                                                     runtime::Runtime& runtime,
                                                     nn::WeightFormat weight_format) {
  for (const std::string_view part : {"text_encoder", "text_encoder_2"}) {
    if (!folder.has(part)) return misfit(name, fmt::format("there is no {}", part));
  }
  auto clip = ClipPromptEncoder::load(runtime, folder, "");
  if (!clip) return clip.error();
  auto t5 = T5PromptEncoder::load(runtime, folder, "_2", weight_format);
  if (!t5) return t5.error();
  auto component = folder.open_component("transformer");
  if (!component) return component.error();
  const std::size_t bytes = component->weights->size_bytes();
  auto transformer = models::FluxTransformer2DModel::load(
      runtime, *component,
      {.weight_format = weight_format, .shapes_max = NetworkScale::of(bytes).shapes_max});
  if (!transformer) return transformer.error();
  auto parts = open_flow_parts(runtime, folder, bytes, weight_format);
  if (!parts) return parts.error();
  const auto& vae = parts->vae->config();
  const auto& config = transformer->config();
  if (auto ok = check_fit(name, config, *clip, *t5, vae); !ok) return ok.error();

  const bool fills = is_fill(config, vae);
  const Defaults& defaults = fills ? kFill : config.guidance_embeds ? kDev : kSchnell;
  parts->inpaint_strength = fills ? kFillStrength : kStrength;
  ModelTraits traits = derive_flow_traits(name, folder, *parts, kSampleSize, kPatchSize);
  traits.defaults.num_inference_steps = defaults.steps;
  traits.defaults.guidance_scale = config.guidance_embeds ? defaults.guidance_scale : 0.0;
  traits.defaults.strength = parts->inpaint_strength;
  traits.uses_guidance = config.guidance_embeds;
  traits.uses_negative_prompt = false;
  traits.text_encoder_count = 2;
  traits.uses_clip_skip = false;
  traits.uses_max_sequence_length = true;
  if (fills) traits.tasks = {Task::Inpaint};
  if (auto ok = folder.apply_own_defaults(traits); !ok) return ok.error();
  return std::unique_ptr<Pipeline>(new FluxPipeline(*std::move(transformer), *std::move(clip),
                                                    *std::move(t5), *std::move(parts),
                                                    std::move(traits)));
}

int FluxPipeline::sequence_length(const GenerationRequest& request) const {
  return request.sampling.max_sequence_length.value_or(kT5Length);
}

bool FluxPipeline::has_inpainting_network() const {
  return is_fill(transformer_.config(), vae_config());
}

schedulers::ScheduleRequest FluxPipeline::schedule(int steps, LatentShape shape) const {
  auto request = FlowPipeline::schedule(steps, shape);
  request.sigmas = even_sigmas(steps);
  return request;
}

std::vector<float> FluxPipeline::inpainting_channels(const InpaintingParts& parts) const {
  std::vector<float> channels(parts.masked_latents.begin(), parts.masked_latents.end());
  const auto folded = fold_mask(parts.mask_px, static_cast<std::size_t>(parts.shape.height),
                                static_cast<std::size_t>(parts.shape.width),
                                static_cast<std::size_t>(vae_config().scale()));
  channels.insert(channels.end(), folded.begin(), folded.end());
  return channels;
}

Result<EffectiveParams> FluxPipeline::check(const GenerationRequest& request) const {
  auto effective = check_common(request, traits());
  if (!effective) return effective;
  if (auto ok = check_t5_length(request); !ok) return ok.error();
  const Prompt& p = request.prompt;
  const bool truncates = request.truncates_prompt;
  const std::string& long_text = own_or(p.text_2, p.text);
  const bool is_copy = &long_text == &p.text;
  auto ok = t5_.check({is_copy ? "prompt" : "prompt_2", long_text}, sequence_length(request),
                      truncates, *effective);
  if (!ok) return ok.error();
  // Of a text that T5 reads too, CLIP reads the beginning.
  if (!is_copy) {
    if (ok = clip_.check({"prompt", p.text}, {.truncates = truncates}, *effective); !ok)
      return ok.error();
  }
  if (!p.negative.empty()) {
    effective->notes.emplace_back("negative_prompt has no effect on this model");
  }
  return effective;
}

Result<GuidedConditioning> FluxPipeline::encode(const GenerationRequest& request, bool) {
  const Prompt& p = request.prompt;
  auto clip = clip_.encode({"prompt", p.text}, {}, {.truncates = true});
  if (!clip) return clip.error();
  auto embeds = t5_.encode({"prompt_2", own_or(p.text_2, p.text)}, sequence_length(request),
                           request.truncates_prompt);
  if (!embeds) return embeds.error();
  const auto pooled = (*clip)->pooled.data();
  return GuidedConditioning{
      .text = {.prompt_embeds = *std::move(embeds), .pooled = {pooled.begin(), pooled.end()}},
      .uncond = std::nullopt};
}

Result<void> FluxPipeline::predict(std::span<const NetworkRow> rows, LatentShape shape,
                                   std::span<float> noise_pred) {
  Gathered all = gather_rows(rows);
  // Handed over as shares of 1 and multiplied back: the rounding is diffusers'.
  for (float& t : all.timesteps) t = t / 1000.0f * 1000.0f;
  std::vector<float> guidance;
  if (transformer_.config().guidance_embeds) {
    for (const NetworkRow& row : rows) {
      guidance.push_back(static_cast<float>(row.guidance_scale) * 1000.0f);
    }
  }
  auto inputs = all.inputs(shape);
  inputs.guidance = guidance;
  return transformer_.run(inputs, noise_pred);
}

}  // namespace limner::pipelines
