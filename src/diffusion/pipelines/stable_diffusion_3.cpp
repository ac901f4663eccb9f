#include "diffusion/pipelines/stable_diffusion_3.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/latent_families.hpp"
#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {
namespace {

// The defaults of diffusers' SD3 pipelines.
constexpr int kSteps = 28;
constexpr double kGuidanceScale = 7.0;
constexpr double kStrength = 0.6;
constexpr int kT5Length = 256;

// Copies x [1, S, D] to columns [column, column + D) of the first rows; what does not fit is cut,
// as diffusers' negative padding cuts it.
void place(const runtime::Tensor& x, std::size_t column, runtime::Tensor& embeds) {
  const std::size_t width = embeds.shape()[2];
  const std::size_t from_width = x.shape()[2];
  if (column >= width) return;
  const std::size_t count = std::min(from_width, width - column);
  for (std::size_t i = 0; i < x.shape()[1]; ++i) {
    std::ranges::copy(x.data().subspan(i * from_width, count),
                      embeds.data().subspan(i * width + column).begin());
  }
}

}  // namespace

StableDiffusion3Pipeline::StableDiffusion3Pipeline(models::SD3Transformer2DModel transformer,
                                                   Encoders encoders, Parts parts,
                                                   ModelTraits traits)
    : FlowPipeline(std::move(parts), std::move(traits),
                   static_cast<int>(transformer.config().patch_size)),
      transformer_(std::move(transformer)),
      encoders_(std::move(encoders)) {}

Result<StableDiffusion3Pipeline::Encoders> StableDiffusion3Pipeline::open_encoders(
    const std::string& name, const ModelFolder& folder, runtime::Runtime& runtime,
    nn::WeightFormat weight_format) {
  auto first = ClipPromptEncoder::load(runtime, folder, "");
  if (!first) return first.error();
  auto second = ClipPromptEncoder::load(runtime, folder, "_2");
  if (!second) return second.error();
  if (!first->config().has_projection || !second->config().has_projection) {
    return misfit(name, "both CLIP encoders must have a projection");
  }
  if (first->max_length() != second->max_length()) {
    return misfit(name, "the two CLIP encoders read different lengths");
  }
  Encoders encoders{*std::move(first), *std::move(second), std::nullopt};
  if (folder.has("text_encoder_3")) {
    auto third = T5PromptEncoder::load(runtime, folder, "_3", weight_format);
    if (!third) return third.error();
    encoders.third = *std::move(third);
  }
  return encoders;
}

// What the transformer expects of the other parts.
Result<void> StableDiffusion3Pipeline::check_fit(const std::string& name,
                                                 const models::SD3TransformerConfig& transformer,
                                                 const Encoders& encoders, const Parts& parts) {
  const auto& vae = parts.vae->config();
  if (transformer.in_channels != vae.latent_channels &&
      !takes_masked_picture(transformer.in_channels, vae.latent_channels)) {
    return misfit(name,
                  "the transformer's in_channels fit neither the vae's latents nor inpainting");
  }
  if (transformer.out_channels != vae.latent_channels) {
    return misfit(name, "the transformer's out_channels are not the vae's latent_channels");
  }
  const auto pooled =
      encoders.first.config().projection_dim + encoders.second.config().projection_dim;
  if (pooled != transformer.pooled_projection_dim) {
    return misfit(name, fmt::format("the CLIP projections are {} wide together, the transformer "
                                    "expects {}",
                                    pooled, transformer.pooled_projection_dim));
  }
  if (encoders.third && encoders.third->config().d_model != transformer.joint_attention_dim) {
    return misfit(name,
                  fmt::format("text_encoder_3 is {} wide, the transformer expects {}",
                              encoders.third->config().d_model, transformer.joint_attention_dim));
  }
  return {};
}

Result<std::unique_ptr<Pipeline>> StableDiffusion3Pipeline::load(const std::string& name,
                                                                 const ModelFolder& folder,
                                                                 runtime::Runtime& runtime,
                                                                 nn::WeightFormat weight_format) {
  for (const std::string_view part : {"text_encoder", "text_encoder_2"}) {
    if (!folder.has(part)) return misfit(name, fmt::format("there is no {}", part));
  }
  auto encoders = open_encoders(name, folder, runtime, weight_format);
  if (!encoders) return encoders.error();
  auto component = folder.open_component("transformer");
  if (!component) return component.error();
  const std::size_t bytes = component->weights->size_bytes();
  auto transformer = models::SD3Transformer2DModel::load(
      runtime, *component,
      {.weight_format = weight_format, .shapes_max = NetworkScale::of(bytes).shapes_max});
  if (!transformer) return transformer.error();
  auto parts = open_flow_parts(runtime, folder, bytes, weight_format);
  if (!parts) return parts.error();
  const auto& config = transformer->config();
  if (auto ok = check_fit(name, config, *encoders, *parts); !ok) return ok.error();

  parts->inpaint_strength = kStrength;
  const auto patch_size = static_cast<int>(config.patch_size);
  ModelTraits traits = derive_flow_traits(name, folder, *parts, config.sample_size, patch_size);
  // The table of positions ends here.
  const int side = static_cast<int>(config.pos_embed_max_size) * traits.size_multiple_px;
  traits.side_px_max = std::min(traits.side_px_max, side);
  traits.defaults.size = nearest_size(traits.defaults.size, traits);
  traits.defaults.num_inference_steps = kSteps;
  traits.defaults.guidance_scale = kGuidanceScale;
  traits.defaults.strength = kStrength;
  traits.text_encoder_count = 3;
  traits.uses_max_sequence_length = true;
  if (takes_masked_picture(config.in_channels, parts->vae->config().latent_channels))
    traits.tasks = {Task::Inpaint};
  if (auto ok = folder.apply_own_defaults(traits); !ok) return ok.error();
  return std::unique_ptr<Pipeline>(new StableDiffusion3Pipeline(
      *std::move(transformer), *std::move(encoders), *std::move(parts), std::move(traits)));
}

int StableDiffusion3Pipeline::t5_length(const GenerationRequest& request) {
  return request.sampling.max_sequence_length.value_or(kT5Length);
}

int StableDiffusion3Pipeline::sequence_length(const GenerationRequest& request) const {
  return static_cast<int>(encoders_.first.max_length()) + t5_length(request);
}

bool StableDiffusion3Pipeline::has_inpainting_network() const {
  return takes_masked_picture(transformer_.config().in_channels, vae_config().latent_channels);
}

// diffusers' inpainting alone decodes without it.
bool StableDiffusion3Pipeline::adds_shift_back(Task task) const {
  return task != Task::Inpaint;
}

StableDiffusion3Pipeline::Texts StableDiffusion3Pipeline::texts_of(const Prompt& p) {
  return {{"prompt", p.text},
          {"prompt_2", own_or(p.text_2, p.text)},
          {"prompt_3", own_or(p.text_3, p.text)}};
}

StableDiffusion3Pipeline::Texts StableDiffusion3Pipeline::negatives_of(const Prompt& p) {
  return {{"negative_prompt", p.negative},
          {"negative_prompt_2", own_or(p.negative_2, p.negative)},
          {"negative_prompt_3", own_or(p.negative_3, p.negative)}};
}

// A text that T5 reads too may be longer than CLIP reads; CLIP then sees its beginning. Each text
// is counted once, by the encoder that reads most of it.
Result<void> StableDiffusion3Pipeline::check_texts(const Texts& texts,
                                                   const GenerationRequest& request,
                                                   EffectiveParams& effective) const {
  const bool truncates = request.truncates_prompt;
  const std::string* const long_text = encoders_.third ? &texts.third.text : nullptr;
  if (long_text) {
    const bool is_copy = long_text == &texts.first.text;
    const PromptField field{is_copy ? texts.first.field : texts.third.field, *long_text};
    auto ok = encoders_.third->check(field, t5_length(request), truncates, effective);
    if (!ok) return ok;
  }
  if (&texts.first.text != long_text) {
    if (auto ok = encoders_.first.check(texts.first, {.truncates = truncates}, effective); !ok)
      return ok;
  }
  if (&texts.second.text == &texts.first.text) return {};
  return encoders_.second.check(texts.second, {.truncates = truncates}, effective);
}

Result<EffectiveParams> StableDiffusion3Pipeline::check(const GenerationRequest& request) const {
  auto effective = check_common(request, traits());
  if (!effective) return effective;
  const auto layers = std::min(encoders_.first.config().num_hidden_layers,
                               encoders_.second.config().num_hidden_layers);
  if (auto ok = check_clip_skip(request, layers - kPenultimate); !ok) return ok.error();
  if (auto ok = check_t5_length(request); !ok) return ok.error();
  for (const Texts& texts : {texts_of(request.prompt), negatives_of(request.prompt)}) {
    if (auto ok = check_texts(texts, request, *effective); !ok) return ok.error();
  }
  note_unused_negative(request, *effective);
  return effective;
}

Result<Conditioning> StableDiffusion3Pipeline::encode_texts(const Texts& texts, int clip_skip,
                                                            const GenerationRequest& request) {
  // check() has refused what may not be cut; CLIP cuts the texts that are T5's as well.
  const ClipPromptEncoder::Layer layer{.skip = kPenultimate + clip_skip, .apply_final_norm = false};
  const ClipReading how{.truncates = true};
  auto first = encoders_.first.encode(texts.first, layer, how);
  if (!first) return first.error();
  auto second = encoders_.second.encode(texts.second, layer, how);
  if (!second) return second.error();
  const int length = t5_length(request);
  const std::size_t clip_tokens = (*first)->hidden.shape()[1];
  const auto width = static_cast<std::size_t>(transformer_.config().joint_attention_dim);
  // Rows of zeros stand for an absent T5.
  runtime::Tensor embeds({1, clip_tokens + static_cast<std::size_t>(length), width});
  place((*first)->hidden, 0, embeds);
  place((*second)->hidden, (*first)->hidden.shape()[2], embeds);
  if (encoders_.third) {
    auto third = encoders_.third->encode(texts.third, length, request.truncates_prompt);
    if (!third) return third.error();
    std::ranges::copy((*third)->data(), embeds.data().subspan(clip_tokens * width).begin());
  }
  std::vector<float> pooled;
  for (const auto& output : {*first, *second}) {
    append(pooled, output->pooled.data());
  }
  return Conditioning{.prompt_embeds = std::make_shared<const runtime::Tensor>(std::move(embeds)),
                      .pooled = std::move(pooled)};
}

Result<GuidedConditioning> StableDiffusion3Pipeline::encode(const GenerationRequest& request,
                                                            bool guided) {
  const int clip_skip = request.sampling.clip_skip.value_or(0);
  // diffusers' clip_skip leaves the negative prompt alone.
  return encode_guided(
      guided, [&] { return encode_texts(texts_of(request.prompt), clip_skip, request); },
      [&](const Conditioning&) { return encode_texts(negatives_of(request.prompt), 0, request); });
}

Result<void> StableDiffusion3Pipeline::predict(std::span<const NetworkRow> rows, LatentShape shape,
                                               std::span<float> noise_pred) {
  const Gathered all = gather_rows(rows);
  return transformer_.run(all.inputs(shape), noise_pred);
}

}  // namespace limner::pipelines
