#include "diffusion/pipelines/stable_diffusion_xl.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/latent_families.hpp"
#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {
namespace {

// The defaults of diffusers' SDXL pipelines.
constexpr double kGuidanceScale = 5.0;
constexpr double kStrength = 0.3;
constexpr double kInpaintStrength = 0.9999;

// a [1, S, D_a] and b [1, S, D_b] → [1, S, D_a + D_b]
runtime::Tensor join_widths(const runtime::Tensor& a, const runtime::Tensor& b) {
  const auto tokens = a.shape()[1];
  const auto width_a = a.shape()[2];
  const auto width_b = b.shape()[2];
  runtime::Tensor joined({1, tokens, width_a + width_b});
  auto out = joined.data().begin();
  for (std::size_t i = 0; i < tokens; ++i) {
    out = std::ranges::copy(a.data().subspan(i * width_a, width_a), out).out;
    out = std::ranges::copy(b.data().subspan(i * width_b, width_b), out).out;
  }
  return joined;
}

}  // namespace

StableDiffusionXLPipeline::StableDiffusionXLPipeline(Opened opened, ClipPromptEncoder first,
                                                     ClipPromptEncoder second,
                                                     bool force_zeros_for_empty_prompt)
    : UNetPipeline(std::move(opened)),
      first_(std::move(first)),
      second_(std::move(second)),
      force_zeros_for_empty_prompt_(force_zeros_for_empty_prompt) {}

Result<std::unique_ptr<Pipeline>> StableDiffusionXLPipeline::load(const std::string& name,
                                                                  const ModelFolder& folder,
                                                                  runtime::Runtime& runtime,
                                                                  nn::WeightFormat weight_format) {
  if (!folder.has("text_encoder") || !folder.has("text_encoder_2")) {
    return Error{.kind = ErrorKind::Unsupported,
                 .message = name +
                            ": SDXL models without both text encoders (refiners) cannot be "
                            "served",
                 .code = "unsupported_model"};
  }
  auto first = ClipPromptEncoder::load(runtime, folder, "");
  if (!first) return first.error();
  auto second = ClipPromptEncoder::load(runtime, folder, "_2");
  if (!second) return second.error();
  auto opened = open(name, folder, runtime, weight_format);
  if (!opened) return opened.error();
  const auto& vae = opened->parts.vae->config();
  if (vae.latents_mean && vae.latents_std) {
    opened->parts.scaling = {.shift = *vae.latents_mean, .factor = {}};
    for (const double deviation : *vae.latents_std) {
      opened->parts.scaling.factor.push_back(vae.scaling_factor / deviation);
    }
  }
  opened->parts.inpaint_strength = kInpaintStrength;
  ModelTraits& traits = opened->traits;
  traits.defaults.guidance_scale = kGuidanceScale;
  traits.defaults.strength = kStrength;
  traits.text_encoder_count = 2;
  if (auto ok = folder.apply_own_defaults(traits); !ok) return ok.error();
  const auto width = first->config().hidden_size + second->config().hidden_size;
  if (width != opened->unet.config().text_width()) {
    return invalid_value("",
                         fmt::format("{}: the text encoders are {} wide, the unet expects {}", name,
                                     width, opened->unet.config().text_width()),
                         "invalid_model");
  }
  if (first->max_length() != second->max_length()) {
    return invalid_value("", name + ": the two text encoders read different lengths",
                         "invalid_model");
  }
  return std::unique_ptr<Pipeline>(
      new StableDiffusionXLPipeline(*std::move(opened), *std::move(first), *std::move(second),
                                    folder.flag("force_zeros_for_empty_prompt", true)));
}

// All texts are as long as the longest.
std::size_t StableDiffusionXLPipeline::chunk_count(const GenerationRequest& request) const {
  const auto how = ClipReading::of(request);
  const Prompt& p = request.prompt;
  std::size_t count = std::max(first_.count_chunks(p.text, how),
                               second_.count_chunks(own_or(p.text_2, p.text), how));
  if (!is_guided(request)) return count;
  count = std::max(count, first_.count_chunks(p.negative, how));
  return std::max(count, second_.count_chunks(own_or(p.negative_2, p.negative), how));
}

int StableDiffusionXLPipeline::sequence_length(const GenerationRequest& request) const {
  return static_cast<int>(chunk_count(request) * first_.max_length());
}

Result<EffectiveParams> StableDiffusionXLPipeline::check(const GenerationRequest& request) const {
  auto effective = check_common(request, traits());
  if (!effective) return effective;
  const auto layers =
      std::min(first_.config().num_hidden_layers, second_.config().num_hidden_layers);
  if (auto ok = check_clip_skip(request, layers - kPenultimate); !ok) return ok.error();
  const Prompt& p = request.prompt;
  const auto how = ClipReading::of(request);
  // Tokens are counted once a text: the second encoder reads a copy unless told otherwise.
  EffectiveParams uncounted;
  for (const PromptField& prompt :
       {PromptField{"prompt", p.text}, PromptField{"negative_prompt", p.negative}}) {
    if (auto ok = first_.check(prompt, how, *effective); !ok) return ok.error();
  }
  const auto check_second = [&](const std::optional<std::string>& own, const std::string& copied,
                                std::string_view field) {
    const std::string& text = own_or(own, copied);
    return second_.check({field, text}, how, &text == &copied ? uncounted : *effective);
  };
  if (auto ok = check_second(p.text_2, p.text, "prompt_2"); !ok) return ok.error();
  if (auto ok = check_second(p.negative_2, p.negative, "negative_prompt_2"); !ok) return ok.error();
  note_unused_negative(request, *effective);
  return effective;
}

Result<Conditioning> StableDiffusionXLPipeline::encode_pair(const PromptField& prompt,
                                                            const PromptField& prompt_2,
                                                            const GenerationRequest& request) {
  const ClipPromptEncoder::Layer layer{
      .skip = kPenultimate + request.sampling.clip_skip.value_or(0), .apply_final_norm = false};
  const auto how = ClipReading::of(request);
  const std::size_t chunks = chunk_count(request);
  auto first = first_.encode(prompt, layer, how, chunks);
  if (!first) return first.error();
  auto second = second_.encode(prompt_2, layer, how, chunks);
  if (!second) return second.error();
  const auto pooled = (*second)->pooled.data();
  const auto height = static_cast<float>(request.size.height_px);
  const auto width = static_cast<float>(request.size.width_px);
  return Conditioning{.prompt_embeds = std::make_shared<const runtime::Tensor>(
                          join_widths((*first)->hidden, (*second)->hidden)),
                      .pooled = {pooled.begin(), pooled.end()},
                      // original size, crop, target size
                      .time_ids = {height, width, 0, 0, height, width}};
}

Result<GuidedConditioning> StableDiffusionXLPipeline::encode(const GenerationRequest& request,
                                                             bool guided) {
  const Prompt& p = request.prompt;
  const std::string& text_2 = own_or(p.text_2, p.text);
  const std::string& negative_2 = own_or(p.negative_2, p.negative);
  const auto encode_negative = [&](const Conditioning& text) -> Result<Conditioning> {
    if (p.negative.empty() && negative_2.empty() && force_zeros_for_empty_prompt_) {
      Conditioning zeros = text;
      zeros.prompt_embeds = std::make_shared<const runtime::Tensor>(text.prompt_embeds->shape());
      std::ranges::fill(zeros.pooled, 0.0f);
      return zeros;
    }
    GenerationRequest without_skip = request;
    // diffusers' clip_skip leaves the negative prompt alone.
    without_skip.sampling.clip_skip.reset();
    return encode_pair({"negative_prompt", p.negative}, {"negative_prompt_2", negative_2},
                       without_skip);
  };
  return encode_guided(
      guided,
      [&] {
        return encode_pair({"prompt", p.text}, {"prompt_2", text_2}, request);
      },
      encode_negative);
}

}  // namespace limner::pipelines
