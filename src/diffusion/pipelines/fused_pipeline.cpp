#include "diffusion/pipelines/fused_pipeline.hpp"

#include <utility>

namespace limner::pipelines {

class FusedPipeline::State final : public DenoiseState {
 public:
  State(std::unique_ptr<DenoiseState> inner, const std::vector<std::string>& notes)
      : inner_(std::move(inner)), effective_(inner_->effective()) {
    effective_.notes.insert(effective_.notes.end(), notes.begin(), notes.end());
  }

  int step_index() const override { return inner_->step_index(); }
  int step_count() const override { return inner_->step_count(); }
  const EffectiveParams& effective() const override { return effective_; }
  DenoiseState& inner() const { return *inner_; }

 private:
  std::unique_ptr<DenoiseState> inner_;
  EffectiveParams effective_;
};

Result<EffectiveParams> FusedPipeline::check(const GenerationRequest& request) const {
  auto effective = fused_->check(request);
  if (effective) effective->notes.insert(effective->notes.end(), notes_.begin(), notes_.end());
  return effective;
}

Result<std::unique_ptr<DenoiseState>> FusedPipeline::prepare(const GenerationRequest& request) {
  auto inner = fused_->prepare(request);
  if (!inner) return inner;
  return std::unique_ptr<DenoiseState>(new State(*std::move(inner), notes_));
}

std::vector<Result<void>> FusedPipeline::step(std::span<DenoiseState* const> states) {
  std::vector<DenoiseState*> inner;
  for (auto* state : states) inner.push_back(&static_cast<State&>(*state).inner());
  return fused_->step(inner);
}

Result<std::vector<Image>> FusedPipeline::decode(DenoiseState& state, DecodeQuality quality) {
  return fused_->decode(static_cast<State&>(state).inner(), quality);
}

}  // namespace limner::pipelines
