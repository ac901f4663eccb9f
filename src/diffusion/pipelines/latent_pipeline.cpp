#include "diffusion/pipelines/latent_pipeline.hpp"

#include <algorithm>
#include <utility>

#include "diffusion/pipelines/checked_numbers.hpp"
#include "diffusion/pipelines/latent_state.hpp"
#include "diffusion/pipelines/pixels.hpp"

namespace limner::pipelines {
namespace {

// Below this a call is too small to fill the cores and rows of several pictures share it with
// profit; above, a network is bound by arithmetic at one picture's rows (measured:
// docs/benchmarks.md), and another shape would cost its weights' memory again.
constexpr std::size_t kSmallNetworkBytes = std::size_t{256} << 20;

}  // namespace

NetworkScale NetworkScale::of(std::size_t weight_bytes) {
  const bool is_small = weight_bytes < kSmallNetworkBytes;
  return {.rows_max = is_small ? 8 : 1, .shapes_max = is_small ? 8u : 2u};
}

LatentPipeline::LatentPipeline(Parts parts, ModelTraits traits)
    : vae_(std::move(parts.vae)),
      preview_(static_cast<int>(vae_->config().latent_channels),
               static_cast<int>(vae_->config().scale())),
      scheduler_config_(std::move(parts.scheduler)),
      inpaint_scheduler_config_(std::move(parts.inpaint_scheduler)),
      scaling_(std::move(parts.scaling)),
      rows_max_(parts.rows_max),
      inpaint_strength_(parts.inpaint_strength),
      strength_shortens_schedule_(parts.strength_shortens_schedule),
      traits_(std::move(traits)) {}

Result<LatentPipeline::Parts> LatentPipeline::open_parts(runtime::Runtime& runtime,
                                                         const ModelFolder& folder,
                                                         std::size_t denoiser_bytes,
                                                         nn::WeightFormat weight_format) {
  const NetworkScale scale = NetworkScale::of(denoiser_bytes);
  auto vae =
      folder.open_vae(runtime, {.weight_format = weight_format, .shapes_max = scale.shapes_max});
  if (!vae) return vae.error();
  auto scheduler = folder.scheduler_config();
  if (!scheduler) return scheduler.error();
  const double factor = (*vae)->config().scaling_factor;
  return Parts{.vae = *std::move(vae),
               .scheduler = *scheduler,
               .inpaint_scheduler = *scheduler,
               .scaling = {.shift = {0}, .factor = {factor}},
               // Reduced arithmetic rounds a larger batch otherwise: each picture goes alone.
               .rows_max = folder.precision() == runtime::Precision::F32 ? scale.rows_max : 1};
}

ModelTraits LatentPipeline::derive_traits(const std::string& name, const ModelFolder& folder,
                                          const Parts& parts, std::int64_t sample_size) {
  const auto scale = static_cast<int>(parts.vae->config().scale());
  ModelTraits traits;
  traits.name = name;
  traits.family = folder.class_name();
  traits.precision = runtime::to_string(folder.precision());
  // 64 is what diffusers takes where the config names no size.
  const int side = static_cast<int>(sample_size > 0 ? sample_size : 64) * scale;
  traits.defaults.size = {side, side};
  traits.size_multiple_px = scale;
  traits.side_px_min = scale;
  traits.side_px_max = std::max(2048, side);
  traits.pixels_max =
      static_cast<std::size_t>(traits.side_px_max) * static_cast<std::size_t>(traits.side_px_max);
  for (const auto scheduler : schedulers::known_scheduler_names()) {
    if (const auto kind = parse_scheduler_kind(scheduler)) traits.schedulers.push_back(*kind);
  }
  const auto own = parse_scheduler_kind(schedulers::own_scheduler_name(parts.scheduler));
  traits.defaults.scheduler = own.value_or(SchedulerKind::Pndm);
  traits.tasks = {Task::TextToImage, Task::ImageToImage, Task::Inpaint};
  return traits;
}

double LatentPipeline::guidance_scale(const GenerationRequest& request) const {
  return request.sampling.guidance_scale.value_or(traits_.defaults.guidance_scale);
}

bool LatentPipeline::is_guided(const GenerationRequest& request) const {
  return guidance_scale(request) > 1.0;
}

void LatentPipeline::note_unused_negative(const GenerationRequest& request,
                                          EffectiveParams& effective) const {
  if (request.prompt.negative.empty() || is_guided(request)) return;
  effective.notes.emplace_back("negative_prompt has no effect without guidance");
}

schedulers::ScheduleRequest LatentPipeline::schedule(int steps, LatentShape) const {
  return {.num_inference_steps = steps};
}

// diffusers' get_timesteps: strength is the share of the steps that is painted.
int LatentPipeline::first_call(int steps, double strength, int order) const {
  const int painted = std::min(static_cast<int>(steps * strength), steps);
  return std::max(steps - painted, 0) * order;
}

BatchShape LatentPipeline::batch_shape(const GenerationRequest& request) const {
  const int scale = traits_.size_multiple_px;
  return {.key = {.latent_height = request.size.height_px / scale,
                  .latent_width = request.size.width_px / scale,
                  .sequence_length = sequence_length(request)},
          .rows = request.image_count * (is_guided(request) ? 2 : 1)};
}

int LatentPipeline::rows_max(const BatchKey&) const {
  return rows_max_;
}

// latents [C, h, w] as the denoiser has them. Every decode teaches the preview decoder.
Result<Image> LatentPipeline::decode_full(std::span<const float> latents, const State& state) {
  std::vector<float> z(latents.begin(), latents.end());
  scaling_.to_vae(z, adds_shift_back(state.task_));
  if (auto ok = check_numbers(z, "the denoiser"); !ok) return ok.error();
  auto pixels = vae_->decode(z, state.height_, state.width_);
  if (!pixels) return pixels.error();
  if (auto ok = check_numbers(pixels->data(), "the autoencoder"); !ok) return ok.error();
  preview_.learn(latents, state.latent_shape(state.images_.front()), std::as_const(*pixels).data());
  return to_image(pixels->data(), state.effective_.size);
}

Result<std::vector<Image>> LatentPipeline::decode(DenoiseState& denoise_state,
                                                  DecodeQuality quality) {
  auto& state = static_cast<State&>(denoise_state);
  std::vector<Image> pictures;
  for (auto& image : state.images_) {
    const bool is_preview = quality == DecodeQuality::Preview && !image.predicted_original.empty();
    if (is_preview && preview_.is_ready()) {
      pictures.push_back(
          preview_.decode(image.predicted_original, state.latent_shape(state.images_.front())));
      continue;
    }
    auto picture = decode_full(is_preview ? image.predicted_original : image.latents, state);
    if (!picture) return picture.error();
    pictures.push_back(*std::move(picture));
  }
  return pictures;
}

}  // namespace limner::pipelines
