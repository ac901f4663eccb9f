#include "app/paint.hpp"

#include <utility>

#include "api/load_images.hpp"
#include "api/resolve.hpp"
#include "base/files.hpp"
#include "base/ids.hpp"

namespace limner::app {
namespace {

constexpr std::size_t kFileBytesMax = 50u << 20;

Result<api::OpenedImage> open_image(const std::filesystem::path& path, const char* field) {
  auto bytes = read_file(path, kFileBytesMax);
  if (!bytes) return bytes.error();
  return api::OpenedImage::open({.field = field, .content = http::PartContent(*std::move(bytes))},
                                Limits{});
}

api::ImageRequest words_of(const config::PaintConfig& paint) {
  api::ImageRequest request;
  request.operation = paint.init_image.empty() ? api::Operation::Generation : api::Operation::Edit;
  request.prompt.text = paint.prompt;
  request.prompt.negative = paint.negative_prompt;
  request.image_count = paint.image_count;
  request.size = paint.size;
  request.seed = paint.seed;
  request.num_inference_steps = paint.steps;
  request.guidance_scale = paint.guidance_scale;
  request.scheduler = paint.scheduler;
  request.strength = paint.strength;
  if (!paint.init_image.empty()) request.images.resize(1);
  return request;
}

template <typename Work>
auto timed(std::chrono::microseconds& total, Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  auto result = std::forward<Work>(work)();
  total += std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                 start);
  return result;
}

}  // namespace

Result<GenerationRequest> request_of(const config::Config& config, const ModelPolicy& policy,
                                     const ModelTraits& traits) {
  const auto& paint = config.paint;
  std::optional<api::LoadedImages> loaded;
  if (!paint.init_image.empty()) {
    auto image = open_image(paint.init_image, "--init-image");
    if (!image) return image.error();
    std::optional<api::OpenedImage> mask;
    if (!paint.mask.empty()) {
      auto opened = open_image(paint.mask, "--mask");
      if (!opened) return opened.error();
      mask = *std::move(opened);
    }
    auto pixels = api::load_images(*image, mask ? &*mask : nullptr, {.mask_size = api::Fit::Adjust},
                                   Limits{});
    if (!pixels) return pixels.error();
    loaded = *std::move(pixels);
  }
  const auto words = words_of(paint);
  auto resolved =
      api::resolve({.request = words,
                    .traits = traits,
                    .policy = policy,
                    .first_image = loaded ? std::optional(loaded->image.size) : std::nullopt,
                    .has_mask = loaded && loaded->mask,
                    .random_seed = random_u64() >> 32U,
                    .is_strict = false});
  if (!resolved) return resolved.error();
  auto request = std::move(resolved->generation);
  request.id = "cli";
  request.truncates_prompt = config.truncates_prompts.value_or(true);
  request.prompt_reading = {
      .chunks_max = config.prompt_chunks.value_or(
          request.truncates_prompt ? Limits{}.prompt_chunks_default : 1),
      .has_weights = config.reads_prompt_weights};
  if (loaded) api::add_pictures(*loaded, request);
  return request;
}

Result<PaintResult> paint(pipelines::Pipeline& pipeline, const GenerationRequest& request,
                          const ShowProgress& show) {
  PaintResult result{.request = request, .effective = {}, .images = {}, .timings = {}};
  if (auto checked = pipeline.check(request); !checked) return checked.error();
  auto state = timed(result.timings.prepare, [&] { return pipeline.prepare(request); });
  if (!state) return state.error();
  pipelines::DenoiseState* running = state->get();
  while (!running->is_finished()) {
    auto stepped = timed(result.timings.denoise, [&] {
      return pipeline.step(std::span<pipelines::DenoiseState* const>(&running, 1));
    });
    if (!stepped.front()) return stepped.front().error();
    if (show) show(running->step_index(), running->step_count());
  }
  auto images = timed(result.timings.decode,
                      [&] { return pipeline.decode(*running, pipelines::DecodeQuality::Full); });
  if (!images) return images.error();
  result.images = *std::move(images);
  result.effective = running->effective();
  return result;
}

Result<void> warm_up(pipelines::Pipeline& pipeline, const ModelPolicy& policy,
                     const engine::ReportStage& report) {
  api::ImageRequest words;
  words.prompt.text = "a picture";
  auto resolved = api::resolve({.request = words,
                                .traits = pipeline.traits(),
                                .policy = policy,
                                .first_image = std::nullopt,
                                .has_mask = false,
                                .random_seed = 0,
                                .is_strict = false});
  if (!resolved) return resolved.error();
  report("compiling the text encoders");
  auto state = pipeline.prepare(resolved->generation);
  if (!state) return state.error();
  pipelines::DenoiseState* running = state->get();
  report("compiling the denoiser");
  auto stepped = pipeline.step(std::span<pipelines::DenoiseState* const>(&running, 1));
  if (!stepped.front()) return stepped.front().error();
  report("compiling the autoencoder");
  auto images = pipeline.decode(*running, pipelines::DecodeQuality::Full);
  if (!images) return images.error();
  return {};
}

}  // namespace limner::app
