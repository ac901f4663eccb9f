#include "parity/painting.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include "diffusion/pipelines/factory.hpp"
#include "parity/manifest.hpp"

namespace limner::parity {

Difference compare(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  Difference d;
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int difference = std::abs(int{a[i]} - int{b[i]});
    d.mean_abs += difference;
    squares += difference * difference;
    d.largest = std::max(d.largest, difference);
  }
  const auto count = static_cast<double>(a.size());
  d.mean_abs /= count;
  if (squares > 0) d.psnr_db = 10 * std::log10(255.0 * 255.0 * count / squares);
  return d;
}

Result<Loaded> load_model(const std::string& model) {
  auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
  if (!runtime) return runtime.error();
  auto pipeline = pipelines::load_pipeline(model, model_dir(model), **runtime);
  if (!pipeline) return pipeline.error();
  return Loaded{*std::move(runtime), *std::move(pipeline)};
}

namespace {

void stack(Image& stacked, const Image& next) {
  stacked.pixels.insert(stacked.pixels.end(), next.pixels.begin(), next.pixels.end());
  stacked.size.height_px += next.size.height_px;
}

}  // namespace

Result<Image> decode_stacked(pipelines::Pipeline& pipeline, pipelines::DenoiseState& state) {
  auto images = pipeline.decode(state, pipelines::DecodeQuality::Full);
  if (!images) return images.error();
  Image stacked = images->front();
  for (std::size_t i = 1; i < images->size(); ++i) stack(stacked, (*images)[i]);
  return stacked;
}

Result<Image> paint(pipelines::Pipeline& pipeline, const GenerationRequest& request) {
  auto state = pipeline.prepare(request);
  if (!state) return state.error();
  pipelines::DenoiseState* const one = state->get();
  while (!one->is_finished()) {
    if (auto done = pipeline.step({&one, 1}).front(); !done) return done.error();
  }
  return decode_stacked(pipeline, *one);
}

Result<Image> paint_by_torchs_seeds(pipelines::Pipeline& pipeline, GenerationRequest request) {
  auto& seed = request.sampling.seed;
  const auto image_count = static_cast<std::uint64_t>(request.image_count);
  constexpr std::uint64_t kTorchSeedMax = 0xffff'ffff;
  if (seed + image_count - 1 <= kTorchSeedMax) return paint(pipeline, request);
  const std::uint64_t first = seed;
  request.image_count = 1;
  std::optional<Image> stacked;
  for (std::uint64_t i = 0; i < image_count; ++i) {
    seed = (first + i) & kTorchSeedMax;
    auto picture = paint(pipeline, request);
    if (!picture) return picture;
    if (stacked) {
      stack(*stacked, *picture);
    } else {
      stacked = *std::move(picture);
    }
  }
  return *std::move(stacked);
}

}  // namespace limner::parity
