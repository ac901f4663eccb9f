#include "diffusion/pipelines/stable_diffusion.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/latent_families.hpp"
#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {

namespace {

// What diffusers' three constructors change in a scheduler's options, whatever the file says.
void correct_as_diffusers_does(schedulers::SchedulerConfig& scheduler,
                               schedulers::SchedulerConfig& inpaint_scheduler,
                               std::string_view class_name) {
  if (!class_name.starts_with("StableDiffusion")) return;
  const bool is_inpainting = class_name == "StableDiffusionInpaintPipeline";
  for (auto* config : {&scheduler, &inpaint_scheduler}) {
    schedulers::correct(*config, "steps_offset", 1);
    if (!is_inpainting) schedulers::correct(*config, "clip_sample", false);
  }
  schedulers::correct(inpaint_scheduler, "skip_prk_steps", true);
}

}  // namespace

StableDiffusionPipeline::StableDiffusionPipeline(Opened opened, ClipPromptEncoder encoder)
    : UNetPipeline(std::move(opened)), encoder_(std::move(encoder)) {}

Result<std::unique_ptr<Pipeline>> StableDiffusionPipeline::load(const std::string& name,
                                                                const ModelFolder& folder,
                                                                runtime::Runtime& runtime,
                                                                nn::WeightFormat weight_format) {
  auto encoder = ClipPromptEncoder::load(runtime, folder, "");
  if (!encoder) return encoder.error();
  auto opened = open(name, folder, runtime, weight_format);
  if (!opened) return opened.error();
  correct_as_diffusers_does(opened->parts.scheduler, opened->parts.inpaint_scheduler,
                            folder.class_name());
  if (auto ok = folder.apply_own_defaults(opened->traits); !ok) return ok.error();
  const auto text_width = opened->unet.config().text_width();
  if (encoder->config().hidden_size != text_width) {
    return invalid_value("",
                         fmt::format("{}: text_encoder is {} wide, the unet expects {}", name,
                                     encoder->config().hidden_size, text_width),
                         "invalid_model");
  }
  return std::unique_ptr<Pipeline>(
      new StableDiffusionPipeline(*std::move(opened), *std::move(encoder)));
}

// Both texts are as long as the longer one.
std::size_t StableDiffusionPipeline::chunk_count(const GenerationRequest& request) const {
  const auto how = ClipReading::of(request);
  const std::size_t text = encoder_.count_chunks(request.prompt.text, how);
  if (!is_guided(request)) return text;
  return std::max(text, encoder_.count_chunks(request.prompt.negative, how));
}

int StableDiffusionPipeline::sequence_length(const GenerationRequest& request) const {
  return static_cast<int>(chunk_count(request) * encoder_.max_length());
}

Result<EffectiveParams> StableDiffusionPipeline::check(const GenerationRequest& request) const {
  auto effective = check_common(request, traits());
  if (!effective) return effective;
  if (auto ok = check_clip_skip(request, encoder_.config().num_hidden_layers); !ok) {
    return ok.error();
  }
  for (const PromptField& prompt : {PromptField{"prompt", request.prompt.text},
                                    PromptField{"negative_prompt", request.prompt.negative}}) {
    auto ok = encoder_.check(prompt, ClipReading::of(request), *effective);
    if (!ok) return ok.error();
  }
  note_unused_negative(request, *effective);
  return effective;
}

Result<GuidedConditioning> StableDiffusionPipeline::encode(const GenerationRequest& request,
                                                           bool guided) {
  const std::size_t chunks = chunk_count(request);
  const auto embeds = [&](const PromptField& prompt, int skip) -> Result<Conditioning> {
    auto output = encoder_.encode(prompt, {.skip = skip}, ClipReading::of(request), chunks);
    if (!output) return output.error();
    return Conditioning{.prompt_embeds = {*output, &(*output)->hidden}};
  };
  const int clip_skip = request.sampling.clip_skip.value_or(0);
  // diffusers' clip_skip leaves the negative prompt alone.
  return encode_guided(
      guided,
      [&] {
        return embeds({"prompt", request.prompt.text}, clip_skip);
      },
      [&](const Conditioning&) {
        return embeds({"negative_prompt", request.prompt.negative}, 0);
      });
}

}  // namespace limner::pipelines
