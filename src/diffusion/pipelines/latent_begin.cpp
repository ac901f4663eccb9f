// How a request begins: from noise, from an image, from an image and a mask.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "diffusion/pipelines/checked_numbers.hpp"
#include "diffusion/pipelines/latent_state.hpp"
#include "diffusion/pipelines/pixels.hpp"
#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {
namespace {

Result<void> check_conditioning(const Conditioning& conditioning) {
  constexpr std::string_view kWhat = "the text encoder";
  if (auto ok = check_numbers(conditioning.prompt_embeds->data(), kWhat); !ok) return ok;
  return check_numbers(conditioning.pooled, kWhat);
}

}  // namespace

Result<std::unique_ptr<DenoiseState>> LatentPipeline::prepare(const GenerationRequest& request) {
  auto effective = check(request);
  if (!effective) return effective.error();
  auto state = std::make_unique<State>();
  state->effective_ = *std::move(effective);
  state->task_ = request.task;

  // 1. Conditioning.
  const double scale = guidance_scale(request);
  auto conditioning = encode(request, is_guided(request));
  if (!conditioning) return conditioning.error();
  if (auto ok = check_conditioning(conditioning->text); !ok) return ok.error();
  if (const auto& uncond = conditioning->uncond) {
    if (auto ok = check_conditioning(*uncond); !ok) return ok.error();
  }
  state->conditioning_ = *std::move(conditioning);
  state->guidance_scale_ = scale;
  state->options_ = {.eta = request.sampling.eta};
  state->wants_previews_ = request.partial_images > 0;

  // 2. Latents of each image.
  const auto vae_scale = static_cast<int>(vae_->config().scale());
  state->height_ = request.size.height_px / vae_scale;
  state->width_ = request.size.width_px / vae_scale;
  for (int i = 0; i < request.image_count; ++i) {
    Trajectory image(request.sampling.seed + static_cast<std::uint64_t>(i));
    if (auto ok = begin(request, *state, image); !ok) return ok.error();
    state->images_.push_back(std::move(image));
  }
  state->image_moments_.reset();
  state->masked_moments_.reset();
  return std::unique_ptr<DenoiseState>(std::move(state));
}

Result<void> LatentPipeline::begin_schedule(const GenerationRequest& request, State& state,
                                            Trajectory& image) {
  const int steps = state.effective_.num_inference_steps;
  auto wanted = schedule(steps, state.latent_shape(image));
  if (!image.scheduler->takes_sigmas()) wanted.sigmas.clear();
  double strength = 1;
  if (request.task != Task::TextToImage) {
    const double fallback =
        request.task == Task::Inpaint ? inpaint_strength_ : traits_.defaults.strength;
    strength = request.sampling.strength.value_or(fallback);
  }
  const auto kind = state.effective_.scheduler;
  const bool is_distilled = kind == SchedulerKind::Lcm || kind == SchedulerKind::Tcd;
  const bool shortens =
      strength_shortens_schedule_ && is_distilled && request.task == Task::ImageToImage;
  if (shortens) wanted.strength = strength;
  if (auto ok = image.scheduler->set_timesteps(wanted); !ok) return ok.error();
  if (request.task != Task::TextToImage && !shortens) {
    state.begin_ = first_call(steps, strength, image.scheduler->order());
  }
  const int calls = static_cast<int>(image.scheduler->timesteps().size());
  state.count_ = std::max(calls - state.begin_, 0);
  return {};
}

Result<void> LatentPipeline::begin(const GenerationRequest& request, State& state,
                                   Trajectory& image) {
  const auto& config =
      request.task == Task::Inpaint ? inpaint_scheduler_config_ : scheduler_config_;
  auto scheduler = make_request_scheduler(request, traits_, config);
  if (!scheduler) return scheduler.error();
  image.scheduler = *std::move(scheduler);
  image.latents.resize(
      static_cast<std::size_t>(vae_->config().latent_channels * state.height_ * state.width_));
  if (auto ok = begin_schedule(request, state, image); !ok) return ok.error();
  switch (request.task) {
    case Task::TextToImage: {
      image.generator.randn(image.latents);
      for (float& x : image.latents) x *= image.scheduler->init_noise_sigma();
      return {};
    }
    case Task::ImageToImage:
      return begin_from_image(request, state, image);
    case Task::Inpaint:
      if (state.mask_.empty()) {
        state.is_blended_ = !has_inpainting_network();
        state.mask_ = shrink_mask(to_binary_mask(request.mask->grey), request.size,
                                  static_cast<int>(state.height_), static_cast<int>(state.width_));
      }
      return begin_inpainting(request, state, image);
  }
  return {};
}

// The encoder's answer is the same for all images of a request; only what is drawn from it differs.
Result<const runtime::Tensor*> LatentPipeline::encode_once(std::optional<runtime::Tensor>& moments,
                                                           ImageSize size,
                                                           const MakePixels& pixels) {
  if (!moments) {
    auto encoded = vae_->encode(pixels(), size.height_px, size.width_px);
    if (!encoded) return encoded.error();
    if (auto ok = check_numbers(encoded->data(), "the autoencoder"); !ok) return ok.error();
    moments = *std::move(encoded);
  }
  return &*moments;
}

// An autoencoder without a distribution gives its latents, and nothing is drawn.
bool LatentPipeline::is_distribution(const runtime::Tensor& moments) const {
  return moments.shape()[1] != static_cast<std::size_t>(vae_->config().latent_channels);
}

// A draw from the encoder's distribution: mean + deviation * noise, scaled for the denoiser.
std::vector<float> LatentPipeline::draw_latents(const runtime::Tensor& moments,
                                                Trajectory& image) const {
  std::vector<float> latents(moments.data().begin(), moments.data().end());
  if (is_distribution(moments)) {
    const std::size_t count = moments.data().size() / 2;
    const auto mean = moments.data().first(count);
    const auto log_variance = moments.data().last(count);
    latents.resize(count);
    image.generator.randn(latents);
    for (std::size_t i = 0; i < count; ++i) {
      const float deviation = std::exp(0.5f * std::clamp(log_variance[i], -30.0f, 20.0f));
      latents[i] = mean[i] + deviation * latents[i];
    }
  }
  scaling_.to_denoiser(latents);
  return latents;
}

Result<void> LatentPipeline::begin_from_image(const GenerationRequest& request, State& state,
                                              Trajectory& image) {
  const auto moments = encode_once(state.image_moments_, request.size,
                                   [&] { return to_pixels(*request.init_image); });
  if (!moments) return moments.error();
  auto clean = draw_latents(**moments, image);
  std::vector<float> noise(image.latents.size());
  image.generator.randn(noise);
  if (state.count_ == 0) {
    image.latents = std::move(clean);
  } else {
    image.scheduler->add_noise(clean, noise, state.begin_, image.latents);
  }
  return {};
}

// The order of draws is diffusers': image latents (when used), noise, masked image's latents.
Result<void> LatentPipeline::begin_inpainting(const GenerationRequest& request, State& state,
                                              Trajectory& image) {
  const bool is_pure_noise = state.begin_ == 0;
  if (state.is_blended_ || !is_pure_noise || encodes_image_always()) {
    const auto moments = encode_once(state.image_moments_, request.size,
                                     [&] { return to_pixels(*request.init_image); });
    if (!moments) return moments.error();
    image.image_latents = draw_latents(**moments, image);
  }
  image.noise.resize(image.latents.size());
  image.generator.randn(image.noise);
  if (is_pure_noise) {
    const float sigma = image.scheduler->init_noise_sigma();
    std::ranges::transform(image.noise, image.latents.begin(), [&](float x) { return x * sigma; });
  } else if (state.count_ == 0) {
    image.latents = image.image_latents;
  } else {
    image.scheduler->add_noise(image.image_latents, image.noise, state.begin_, image.latents);
  }
  if (state.is_blended_) {
    // This network never sees the masked picture, but diffusers draws its latents all the same,
    // and schedulers that draw go on from there.
    std::vector<float> unused(image.latents.size());
    if (is_distribution(*state.image_moments_)) image.generator.randn(unused);
    return {};
  }
  return begin_inpainting_network(request, state, image);
}

Result<void> LatentPipeline::begin_inpainting_network(const GenerationRequest& request,
                                                      State& state, Trajectory& image) {
  const std::vector<float> mask = to_binary_mask(request.mask->grey);
  const auto moments = encode_once(state.masked_moments_, request.size, [&] {
    std::vector<float> masked = to_pixels(*request.init_image);
    for (std::size_t i = 0; i < masked.size(); ++i) {
      if (mask[i % mask.size()] >= 0.5f) masked[i] = 0;
    }
    return masked;
  });
  if (!moments) return moments.error();
  const auto masked_latents = draw_latents(**moments, image);
  image.extra_channels = inpainting_channels({.mask_px = mask,
                                              .mask = state.mask_,
                                              .masked_latents = masked_latents,
                                              .shape = state.latent_shape(image)});
  return {};
}

std::vector<float> LatentPipeline::inpainting_channels(const InpaintingParts& parts) const {
  std::vector<float> channels(parts.mask.begin(), parts.mask.end());
  channels.insert(channels.end(), parts.masked_latents.begin(), parts.masked_latents.end());
  return channels;
}

}  // namespace limner::pipelines
