// One step of several requests: their rows in few calls, guidance, the scheduler's arithmetic.
#include <vector>

#include "diffusion/pipelines/latent_state.hpp"

namespace limner::pipelines {
namespace {

// Rows are cut into calls of these sizes, so that few shapes are compiled.
int bucket(std::size_t rows_left, int rows_max) {
  for (const int size : {8, 4, 2}) {
    if (size <= rows_max && static_cast<std::size_t>(size) <= rows_left) return size;
  }
  return 1;
}

}  // namespace

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

}  // namespace limner::pipelines
