#include "diffusion/pipelines/wrapped_pipeline.hpp"

namespace limner::pipelines {

Result<EffectiveParams> WrappedPipeline::check(const GenerationRequest& request) const {
  auto effective = inner_->check(request);
  if (!effective) return effective;
  return describe(*std::move(effective), request);
}

Result<std::unique_ptr<DenoiseState>> WrappedPipeline::prepare(const GenerationRequest& request) {
  auto state = inner_->prepare(request);
  if (!state) return state;
  auto effective = describe((*state)->effective(), request);
  return std::unique_ptr<DenoiseState>(new WrappedState(*std::move(state), std::move(effective)));
}

std::vector<Result<void>> WrappedPipeline::step(std::span<DenoiseState* const> states) {
  std::vector<DenoiseState*> wrapped;
  for (auto* state : states) wrapped.push_back(&static_cast<WrappedState&>(*state).inner());
  return inner_->step(wrapped);
}

Result<std::vector<Image>> WrappedPipeline::decode(DenoiseState& state, DecodeQuality quality) {
  return inner_->decode(static_cast<WrappedState&>(state).inner(), quality);
}

}  // namespace limner::pipelines
