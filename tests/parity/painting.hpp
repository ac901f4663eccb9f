// Painting a request with a pipeline, without an engine, and how far two pictures are apart.
#pragma once

#include <limits>
#include <memory>
#include <span>
#include <string>

#include "core/generation.hpp"
#include "diffusion/pipelines/pipeline.hpp"
#include "runtime/runtime.hpp"

namespace limner::parity {

struct Difference {
  double mean_abs = 0;  // of 255
  int largest = 0;
  double psnr_db = std::numeric_limits<double>::infinity();
};

Difference compare(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

// A toy of data/models or the embedded default, in float32.
struct Loaded {
  std::unique_ptr<runtime::Runtime> runtime;
  std::unique_ptr<pipelines::Pipeline> pipeline;
};
Result<Loaded> load_model(const std::string& model);

// The request's pictures, stacked from top to bottom.
Result<Image> decode_stacked(pipelines::Pipeline& pipeline, pipelines::DenoiseState& state);
// Alone, from beginning to end.
Result<Image> paint(pipelines::Pipeline& pipeline, const GenerationRequest& request);
// The same for what torch has painted, which reads the lower 32 bits of each picture's seed.
Result<Image> paint_by_torchs_seeds(pipelines::Pipeline& pipeline, GenerationRequest request);

}  // namespace limner::parity
