#include "diffusion/pipelines/latent_pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/pixels.hpp"
#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {
namespace {

// Below this a call is too small to fill the cores and rows of several requests share it with
// profit; above, a UNet is bound by arithmetic at one request's rows (measured:
// docs/benchmarks.md).
constexpr std::size_t kSmallNetworkBytes = std::size_t{256} << 20;

// Rows are cut into calls of these sizes, so that few shapes are compiled.
int bucket(std::size_t rows_left, int rows_max) {
  for (const int size : {8, 4, 2}) {
    if (size <= rows_max && static_cast<std::size_t>(size) <= rows_left) return size;
  }
  return 1;
}

// Value of a channel in a list with one entry for all or one each.
float at_channel(const std::vector<double>& list, std::size_t i, std::size_t plane) {
  return static_cast<float>(list.size() == 1 ? list.front() : list[i / plane]);
}

// The VAE's latents [C, h, w] → the denoiser's, and back.
void scale(std::span<float> z, const std::vector<double>& shift,
           const std::vector<double>& factor) {
  const std::size_t plane = z.size() / std::max<std::size_t>(factor.size(), 1);
  for (std::size_t i = 0; i < z.size(); ++i) {
    z[i] = (z[i] - at_channel(shift, i, plane)) * at_channel(factor, i, plane);
  }
}

void unscale(std::span<float> z, const std::vector<double>& shift,
             const std::vector<double>& factor) {
  const std::size_t plane = z.size() / std::max<std::size_t>(factor.size(), 1);
  for (std::size_t i = 0; i < z.size(); ++i) {
    z[i] = z[i] / at_channel(factor, i, plane) + at_channel(shift, i, plane);
  }
}

}  // namespace

class LatentPipeline::State final : public DenoiseState {
 public:
  int step_index() const override { return index_; }
  int step_count() const override { return count_; }
  const EffectiveParams& effective() const override { return effective_; }
  LatentShape latent_shape(const Trajectory& image) const {
    return {.channels =
                static_cast<int>(image.latents.size() / static_cast<std::size_t>(height_ * width_)),
            .height = static_cast<int>(height_),
            .width = static_cast<int>(width_)};
  }

  EffectiveParams effective_;
  Task task_ = Task::TextToImage;
  GuidedConditioning conditioning_;
  std::vector<Trajectory> images_;
  schedulers::StepOptions options_;
  double guidance_scale_ = 1;
  bool wants_previews_ = false;
  bool is_blended_ = false;                        // inpainting on a 4-channel network
  std::vector<float> mask_;                        // [1, h, w], 1 = repaint
  std::optional<runtime::Tensor> image_moments_;   // of the VAE's encoder; only while preparing
  std::optional<runtime::Tensor> masked_moments_;  // of the picture without what is repainted
  std::int64_t height_ = 0;                        // of the latent
  std::int64_t width_ = 0;
  int begin_ = 0;  // of the schedule's timesteps
  int index_ = 0;
  int count_ = 0;
};

struct LatentPipeline::Row {
  State* state;
  Trajectory* image;
  const Conditioning* conditioning;
};

NetworkScale NetworkScale::of(std::size_t weight_bytes) {
  const bool is_small = weight_bytes < kSmallNetworkBytes;
  return {.rows_max = is_small ? 8 : 2, .shapes_max = is_small ? 8u : 2u};
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
               .rows_max = scale.rows_max};
}

ModelTraits LatentPipeline::derive_traits(const std::string& name, const ModelFolder& folder,
                                          const Parts& parts, std::int64_t sample_size) {
  const auto scale = static_cast<int>(parts.vae->config().scale());
  ModelTraits traits;
  traits.name = name;
  traits.family = folder.class_name();
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

// ---- prepare ---------------------------------------------------------------------------------

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
  scale(latents, scaling_.shift, scaling_.factor);
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

// ---- step ------------------------------------------------------------------------------------

std::vector<Result<void>> LatentPipeline::step(std::span<DenoiseState* const> states) {
  std::vector<State*> mine;
  for (auto* state : states) mine.push_back(static_cast<State*>(state));
  const std::vector<Row> rows = gather(mine);
  const std::size_t latent_size = mine.front()->images_.front().latents.size();
  std::vector<float> noise_pred(rows.size() * latent_size);
  const LatentShape shape = mine.front()->latent_shape(mine.front()->images_.front());
  if (auto ok = run_rows(rows, shape, noise_pred); !ok) {
    return std::vector<Result<void>>(states.size(), ok.error());
  }
  std::span<const float> rest = noise_pred;
  std::vector<Result<void>> results;
  for (auto* state : mine) {
    const std::size_t count =
        state->images_.size() * (state->conditioning_.uncond ? 2 : 1) * latent_size;
    advance(*state, rest.first(count));
    rest = rest.subspan(count);
    results.emplace_back();
  }
  return results;
}

// Of each request, the unconditional rows of all images first, then the rows with text.
std::vector<LatentPipeline::Row> LatentPipeline::gather(std::span<State* const> states) const {
  std::vector<Row> rows;
  for (auto* state : states) {
    auto& conditioning = state->conditioning_;
    if (conditioning.uncond) {
      for (auto& image : state->images_) rows.push_back({state, &image, &*conditioning.uncond});
    }
    for (auto& image : state->images_) rows.push_back({state, &image, &conditioning.text});
  }
  return rows;
}

Result<void> LatentPipeline::run_rows(std::span<const Row> rows, LatentShape shape,
                                      std::span<float> noise_pred) {
  const std::size_t latent_size = noise_pred.size() / rows.size();
  std::vector<float> scaled(static_cast<std::size_t>(rows_max_) * latent_size);
  for (std::size_t done = 0; done < rows.size();) {
    const auto count = static_cast<std::size_t>(bucket(rows.size() - done, rows_max_));
    std::vector<NetworkRow> call;
    for (const Row& row : rows.subspan(done, count)) {
      auto& scheduler = *row.image->scheduler;
      const int index = row.state->begin_ + row.state->index_;
      const auto sample = std::span(scaled).subspan(call.size() * latent_size, latent_size);
      scheduler.scale_model_input(row.image->latents, index, sample);
      call.push_back({.sample = sample,
                      .extra_channels = row.image->extra_channels,
                      .timestep = scheduler.timesteps()[static_cast<std::size_t>(index)],
                      .conditioning = row.conditioning,
                      .guidance_scale = row.state->guidance_scale_});
    }
    const auto out = noise_pred.subspan(done * latent_size, count * latent_size);
    if (auto ok = predict(call, shape, out); !ok) return ok.error();
    done += count;
  }
  return {};
}

void LatentPipeline::advance(State& state, std::span<const float> noise_pred) const {
  const std::size_t image_count = state.images_.size();
  const std::size_t latent_size = state.images_.front().latents.size();
  const int call = state.begin_ + state.index_;
  const float timestep =
      state.images_.front().scheduler->timesteps()[static_cast<std::size_t>(call)];
  const auto weight = static_cast<float>(guidance_weight(state.guidance_scale_, timestep));
  std::vector<float> guided(latent_size);
  for (std::size_t i = 0; i < image_count; ++i) {
    Trajectory& image = state.images_[i];
    std::span<const float> prediction = noise_pred.subspan(i * latent_size, latent_size);
    if (state.conditioning_.uncond) {
      const auto text = noise_pred.subspan((image_count + i) * latent_size, latent_size);
      apply_guidance(prediction, text, weight, guided);
      prediction = guided;
    }
    if (state.wants_previews_) {
      image.predicted_original.resize(latent_size);
      image.scheduler->predict_original(prediction, call, image.latents, image.predicted_original);
    }
    image.scheduler->step(prediction, call, image.latents, image.generator, state.options_);
    if (!state.is_blended_) continue;
    // What is not masked follows the original image, noised to where the rest has come.
    std::vector<float> known = image.image_latents;
    if (state.index_ + 1 < state.count_) {
      image.scheduler->add_noise(image.image_latents, image.noise, call + 1, known);
    }
    for (std::size_t k = 0; k < latent_size; ++k) {
      const float repaint = state.mask_[k % state.mask_.size()];
      image.latents[k] = (1 - repaint) * known[k] + repaint * image.latents[k];
    }
  }
  ++state.index_;
}

// ---- decode ----------------------------------------------------------------------------------

// latents [C, h, w] as the denoiser has them. Every decode teaches the preview decoder.
Result<Image> LatentPipeline::decode_full(std::span<const float> latents, const State& state) {
  std::vector<float> z(latents.begin(), latents.end());
  unscale(z, adds_shift_back(state.task_) ? scaling_.shift : std::vector<double>{0},
          scaling_.factor);
  auto pixels = vae_->decode(z, state.height_, state.width_);
  if (!pixels) return pixels.error();
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
