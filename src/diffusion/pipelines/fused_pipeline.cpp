#include "diffusion/pipelines/fused_pipeline.hpp"

#include <utility>

#include "diffusion/pipelines/wrapped_state.hpp"

namespace limner::pipelines {

Result<EffectiveParams> FusedPipeline::check(const GenerationRequest& request) const {
  auto effective = fused_->check(request);
  if (effective) effective->notes.insert(effective->notes.end(), notes_.begin(), notes_.end());
  return effective;
}

Result<std::unique_ptr<DenoiseState>> FusedPipeline::prepare(const GenerationRequest& request) {
  auto inner = fused_->prepare(request);
  if (!inner) return inner;
  auto effective = (*inner)->effective();
  effective.notes.insert(effective.notes.end(), notes_.begin(), notes_.end());
  return std::make_unique<WrappedState>(*std::move(inner), std::move(effective));
}

std::vector<Result<void>> FusedPipeline::step(std::span<DenoiseState* const> states) {
  return fused_->step(unwrap(states));
}

Result<std::vector<Image>> FusedPipeline::decode(DenoiseState& state, DecodeQuality quality) {
  return fused_->decode(static_cast<WrappedState&>(state).inner(), quality);
}

}  // namespace limner::pipelines
