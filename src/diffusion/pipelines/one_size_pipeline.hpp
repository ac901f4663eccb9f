// A model that can paint in one size only: other sizes are made from that one by scaling, so that
// clients which always ask for 1024x1024 get a picture and not noise.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "diffusion/pipelines/wrapped_pipeline.hpp"

namespace limner::pipelines {

class OneSizePipeline final : public WrappedPipeline {
 public:
  // Paints in the size that the traits of `inner` have as their default.
  explicit OneSizePipeline(std::unique_ptr<Pipeline> inner) : WrappedPipeline(std::move(inner)) {}

  BatchShape batch_shape(const GenerationRequest& request) const override;
  Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) override;
  // A painting keeps its shape, and its outermost pixels fill what is left of the size; what began
  // as a picture is stretched as that picture was.
  Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality quality) override;

 private:
  class State;

  GenerationRequest in_own_size(const GenerationRequest& request) const;
  EffectiveParams describe(EffectiveParams effective,
                           const GenerationRequest& request) const override;
};

}  // namespace limner::pipelines
