#include "diffusion/pipelines/z_image.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/latent_families.hpp"
#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {
namespace {

using TransformerConfig = models::ZImageTransformerConfig;

constexpr int kPatchSize = TransformerConfig::kPatchSize;
constexpr int kSidePx = 1024;        // no config says it
constexpr int kMessageLength = 512;  // the prompt's and the template's tokens

// diffusers' defaults of the family, and those that its documentation gives Turbo.
struct Defaults {
  int steps;
  double guidance_scale;
};
constexpr Defaults kBase{50, 5.0};
constexpr Defaults kTurbo{8, 0.0};
constexpr double kStrength = 0.6;
constexpr double kInpaintStrength = 1.0;

// The two differ in their weights and in this alone: Turbo's schedule has a shift of 3, the base
// model's a larger one.
constexpr double kTurboShiftMax = 3.0;

bool is_turbo(const schedulers::SchedulerConfig& scheduler) {
  const auto* shift = scheduler.listed.if_contains("shift");
  return !shift || !shift->is_number() || shift->to_number<double>() <= kTurboShiftMax;
}

}  // namespace

ZImagePipeline::ZImagePipeline(models::ZImageTransformer2DModel transformer, QwenPromptEncoder text,
                               Parts parts, ModelTraits traits)
    : FlowPipeline(std::move(parts), std::move(traits), kPatchSize),
      transformer_(std::move(transformer)),
      text_(std::move(text)) {}

Result<void> ZImagePipeline::check_fit(const std::string& name,
                                       const TransformerConfig& transformer,
                                       const QwenPromptEncoder& text,
                                       const models::AutoencoderConfig& vae) {
  if (transformer.in_channels != vae.latent_channels) {
    return misfit(name, fmt::format("the transformer's in_channels are {}, the vae's latent "
                                    "channels {}",
                                    transformer.in_channels, vae.latent_channels));
  }
  if (text.config().hidden_size != transformer.cap_feat_dim) {
    return misfit(name, fmt::format("text_encoder is {} wide, the transformer expects {}",
                                    text.config().hidden_size, transformer.cap_feat_dim));
  }
  return {};
}

Result<std::unique_ptr<Pipeline>> ZImagePipeline::load(const std::string& name,
                                                       const ModelFolder& folder,
                                                       runtime::Runtime& runtime,
                                                       nn::WeightFormat weight_format) {
  if (!folder.has("text_encoder")) return misfit(name, "there is no text_encoder");
  auto component = folder.open_component("transformer");
  if (!component) return component.error();
  if (!component->ir.empty()) return misfit(name, "Z-Image is not served from OpenVINO IR");
  const std::size_t bytes = component->weights->size_bytes();
  auto transformer = models::ZImageTransformer2DModel::load(
      runtime, *std::move(component),
      {.weight_format = weight_format, .shapes_max = NetworkScale::of(bytes).shapes_max});
  if (!transformer) return transformer.error();
  auto text = QwenPromptEncoder::load(runtime, folder, weight_format);
  if (!text) return text.error();
  auto parts = open_flow_parts(runtime, folder, bytes, weight_format);
  if (!parts) return parts.error();
  const auto& vae = parts->vae->config();
  const auto& config = transformer->config();
  if (auto ok = check_fit(name, config, *text, vae); !ok) return ok.error();

  const Defaults& defaults = is_turbo(parts->scheduler) ? kTurbo : kBase;
  parts->inpaint_strength = kInpaintStrength;
  const int scale = static_cast<int>(vae.scale());
  ModelTraits traits = derive_flow_traits(name, folder, *parts, kSidePx / scale, kPatchSize);
  const auto patches_max = std::min(config.axes_lens[1], config.axes_lens[2]);
  traits.side_px_max = static_cast<int>(
      std::min<std::int64_t>(traits.side_px_max, patches_max * traits.size_multiple_px));
  traits.defaults.size = nearest_size(traits.defaults.size, traits);
  traits.defaults.num_inference_steps = defaults.steps;
  traits.defaults.guidance_scale = defaults.guidance_scale;
  traits.defaults.strength = kStrength;
  traits.uses_clip_skip = false;
  traits.uses_max_sequence_length = true;
  if (auto ok = folder.apply_own_defaults(traits); !ok) return ok.error();
  return std::unique_ptr<Pipeline>(new ZImagePipeline(*std::move(transformer), *std::move(text),
                                                      *std::move(parts), std::move(traits)));
}

int ZImagePipeline::length_max(const GenerationRequest& request) const {
  const int asked = request.sampling.max_sequence_length.value_or(kMessageLength);
  const auto positions = transformer_.config().caption_length_max();
  return static_cast<int>(std::min<std::int64_t>(asked, positions));
}

// The longer of the two captions: shorter ones in the same call are masked.
int ZImagePipeline::sequence_length(const GenerationRequest& request) const {
  const int most = length_max(request);
  int length = text_.length({"prompt", request.prompt.text}, most);
  if (is_guided(request)) {
    length = std::max(length, text_.length({"negative_prompt", request.prompt.negative}, most));
  }
  constexpr int multiple = TransformerConfig::kTokensMultiple;
  return (length + multiple - 1) / multiple * multiple;
}

schedulers::ScheduleRequest ZImagePipeline::schedule(int steps, LatentShape shape) const {
  auto request = FlowPipeline::schedule(steps, shape);
  request.sigmas = even_sigmas(steps);
  return request;
}

// The family counts guidance from 0: prediction = text + scale * (text - uncond).
bool ZImagePipeline::is_guided(const GenerationRequest& request) const {
  return guidance_scale(request) > 0;
}

// Below a level of 0, where odd shifts lead, the default cfg_truncation of 1 ends guidance.
double ZImagePipeline::guidance_weight(double guidance_scale, float timestep) const {
  return timestep < 0 ? 1 : guidance_scale + 1;
}

Result<EffectiveParams> ZImagePipeline::check(const GenerationRequest& request) const {
  auto effective = check_common(request, traits());
  if (!effective) return effective;
  if (const int length = request.sampling.max_sequence_length.value_or(1);
      length < 1 || length > kMessageLength) {
    return invalid_value(
        "max_sequence_length",
        fmt::format("max_sequence_length: got {}, expected 1 to {}", length, kMessageLength));
  }
  const int most = length_max(request);
  const bool truncates = request.truncates_prompt;
  auto ok = text_.check({"prompt", request.prompt.text}, most, truncates, *effective);
  if (!ok) return ok.error();
  if (is_guided(request)) {
    ok = text_.check({"negative_prompt", request.prompt.negative}, most, truncates, *effective);
    if (!ok) return ok.error();
  }
  note_unused_negative(request, *effective);
  return effective;
}

Result<GuidedConditioning> ZImagePipeline::encode(const GenerationRequest& request, bool guided) {
  const auto embeds = [&](const PromptField& prompt) -> Result<Conditioning> {
    auto output = text_.encode(prompt, length_max(request));
    if (!output) return output.error();
    return Conditioning{.prompt_embeds = *std::move(output)};
  };
  return encode_guided(
      guided,
      [&] {
        return embeds({"prompt", request.prompt.text});
      },
      [&](const Conditioning&) {
        return embeds({"negative_prompt", request.prompt.negative});
      });
}

// The network's times run from noise at 0 to the picture at 1, and so do its predictions.
Result<void> ZImagePipeline::predict(std::span<const NetworkRow> rows, LatentShape shape,
                                     std::span<float> noise_pred) {
  std::vector<float> sample;
  models::ZImageTransformer2DModel::Inputs inputs{.height = shape.height, .width = shape.width};
  for (const NetworkRow& row : rows) {
    append(sample, row.sample);
    inputs.times.push_back((1000.0f - row.timestep) / 1000.0f);
    inputs.captions.push_back(row.conditioning->prompt_embeds.get());
  }
  inputs.sample = sample;
  if (auto ok = transformer_.run(inputs, noise_pred); !ok) return ok;
  for (float& x : noise_pred) x = -x;
  return {};
}

}  // namespace limner::pipelines
