// One step of several requests: their rows in few calls, guidance, the scheduler's arithmetic.
#include <cstring>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "base/finite.hpp"
#include "base/log.hpp"
#include "diffusion/pipelines/checked_numbers.hpp"
#include "diffusion/pipelines/latent_state.hpp"

namespace limner::pipelines {
namespace {

std::size_t sum_of(std::span<const int> rows) {
  return static_cast<std::size_t>(std::accumulate(rows.begin(), rows.end(), 0));
}

bool has_same_bits(std::span<const float> a, std::span<const float> b) {
  return std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace

std::vector<Result<void>> LatentPipeline::step(std::span<DenoiseState* const> states) {
  Calls calls;
  for (auto* state : states) gather(static_cast<State&>(*state), calls);
  if (auto ok = run(calls); !ok) return std::vector<Result<void>>(states.size(), ok.error());
  std::span<const float> rest = calls.noise_pred;
  std::vector<Result<void>> results;
  for (auto* each : states) {
    auto& state = static_cast<State&>(*each);
    const auto noise_pred = rest.first(state.images_.size() * state.rows_per_image() *
                                       state.images_.front().latents.size());
    results.push_back(advance(state, noise_pred));
    rest = rest.subspan(noise_pred.size());
  }
  return results;
}

// Adds a request's rows, picture by picture: without text, then with it.
void LatentPipeline::gather(State& state, Calls& calls) const {
  const int index = state.begin_ + state.index_;
  for (auto& image : state.images_) {
    auto& scheduler = *image.scheduler;
    auto& scaled = calls.samples.emplace_back(image.latents.size());
    scheduler.scale_model_input(image.latents, index, scaled);
    NetworkRow row{.sample = scaled,
                   .extra_channels = image.extra_channels,
                   .timestep = scheduler.timesteps()[static_cast<std::size_t>(index)],
                   .conditioning = &state.conditioning_.text,
                   .guidance_scale = state.guidance_scale_};
    const auto& uncond = state.conditioning_.uncond;
    if (uncond) {
      row.conditioning = &*uncond;
      calls.rows.push_back(row);
      row.conditioning = &state.conditioning_.text;
    }
    calls.rows.push_back(row);
    calls.rows_of_pictures.push_back(uncond ? 2 : 1);
  }
  calls.shape = state.latent_shape(state.images_.front());
}

Result<void> LatentPipeline::run(Calls& calls) {
  const std::size_t latent_size = calls.rows.front().sample.size();
  calls.noise_pred.resize(calls.rows.size() * latent_size);
  std::span<const NetworkRow> rows = calls.rows;
  std::span<const int> pictures = calls.rows_of_pictures;
  std::span<float> out = calls.noise_pred;
  for (const std::size_t count : cut_calls(pictures, rows_max_)) {
    const auto mine = pictures.first(count);
    const std::size_t size = sum_of(mine);
    const auto noise_pred = out.first(size * latent_size);
    if (auto ok = predict_pictures(rows.first(size), mine, calls.shape, noise_pred); !ok) return ok;
    pictures = pictures.subspan(count);
    rows = rows.subspan(size);
    out = out.subspan(noise_pred.size());
  }
  return {};
}

// In one call where that was seen to give the bits that a call for each gives.
Result<void> LatentPipeline::predict_pictures(std::span<const NetworkRow> rows,
                                              std::span<const int> pictures, LatentShape shape,
                                              std::span<float> noise_pred) {
  if (pictures.size() == 1) return predict(rows, shape, noise_pred);
  const auto sequence = rows.front().conditioning->prompt_embeds->shape()[1];
  const CallKind kind{.key = {.latent_height = shape.height,
                              .latent_width = shape.width,
                              .sequence_length = static_cast<int>(sequence)},
                      .rows = {pictures.begin(), pictures.end()}};
  const auto keeps_bits = sharing_.keeps_bits(kind);
  std::vector<float> together;
  if (keeps_bits != false) {
    if (auto ok = predict(rows, shape, noise_pred); !ok || keeps_bits) return ok;
    together.assign(noise_pred.begin(), noise_pred.end());
  }
  const std::size_t latent_size = noise_pred.size() / rows.size();
  std::size_t done = 0;
  for (const int count : pictures) {
    const auto size = static_cast<std::size_t>(count);
    const auto out = noise_pred.subspan(done * latent_size, size * latent_size);
    if (auto ok = predict(rows.subspan(done, size), shape, out); !ok) return ok;
    done += size;
  }
  // What is no number says nothing about rounding.
  if (together.empty() || !are_usable(noise_pred)) return {};
  const bool are_equal = has_same_bits(together, noise_pred);
  sharing_.learn(kind, are_equal);
  if (!are_equal) {
    log::debug("{}: a call of {} rows rounds otherwise; its pictures get calls of their own",
               traits_.name, rows.size());
  }
  return {};
}

Result<void> LatentPipeline::advance(State& state, std::span<const float> noise_pred) const {
  const int step = state.index_ + 1;
  auto ok =
      check_numbers(noise_pred, fmt::format("the denoiser at step {} of {}", step, state.count_));
  if (!ok) return ok;
  const std::size_t row_size = state.images_.front().latents.size();
  const std::size_t image_size = row_size * state.rows_per_image();
  const int call = state.begin_ + state.index_;
  const float timestep =
      state.images_.front().scheduler->timesteps()[static_cast<std::size_t>(call)];
  const auto weight = static_cast<float>(guidance_weight(state.guidance_scale_, timestep));
  std::vector<float> guided(row_size);
  for (std::size_t i = 0; i < state.images_.size(); ++i) {
    std::span<const float> prediction = noise_pred.subspan(i * image_size, image_size);
    if (state.conditioning_.uncond) {
      apply_guidance(prediction.first(row_size), prediction.last(row_size), weight, guided);
      prediction = guided;
    }
    advance_image(state, state.images_[i], prediction);
  }
  ++state.index_;
  return {};
}

void LatentPipeline::advance_image(State& state, Trajectory& image,
                                   std::span<const float> prediction) const {
  const int call = state.begin_ + state.index_;
  if (state.wants_previews_) {
    image.predicted_original.resize(image.latents.size());
    image.scheduler->predict_original(prediction, call, image.latents, image.predicted_original);
  }
  image.scheduler->step(prediction, call, image.latents, image.generator, state.options_);
  if (!state.is_blended_) return;
  // What is not masked follows the original image, noised to where the rest has come.
  std::vector<float> known = image.image_latents;
  if (state.index_ + 1 < state.count_) {
    image.scheduler->add_noise(image.image_latents, image.noise, call + 1, known);
  }
  for (std::size_t k = 0; k < image.latents.size(); ++k) {
    const float repaint = state.mask_[k % state.mask_.size()];
    image.latents[k] = (1 - repaint) * known[k] + repaint * image.latents[k];
  }
}

}  // namespace limner::pipelines
