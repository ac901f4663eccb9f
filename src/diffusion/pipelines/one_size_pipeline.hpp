// A model that can paint in one size only: other sizes are made from that one by scaling, so that
// clients which always ask for 1024x1024 get a picture and not noise.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "diffusion/pipelines/pipeline.hpp"

namespace limner::pipelines {

class OneSizePipeline final : public Pipeline {
 public:
  // Paints in the size that the traits of `inner` have as their default.
  explicit OneSizePipeline(std::unique_ptr<Pipeline> inner) : inner_(std::move(inner)) {}

  const ModelTraits& traits() const override { return inner_->traits(); }
  BatchShape batch_shape(const GenerationRequest& request) const override;
  int rows_max(const BatchKey& key) const override { return inner_->rows_max(key); }
  // Sizes that the model takes, as for every other one; the notes say what is scaled.
  Result<EffectiveParams> check(const GenerationRequest& request) const override;
  Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) override;
  std::vector<Result<void>> step(std::span<DenoiseState* const> states) override;
  // A painting keeps its shape, and its outermost pixels fill what is left of the size; what began
  // as a picture is stretched as that picture was.
  Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality quality) override;

 private:
  class State;

  GenerationRequest in_own_size(const GenerationRequest& request) const;
  EffectiveParams describe(EffectiveParams effective, ImageSize asked) const;

  std::unique_ptr<Pipeline> inner_;
};

}  // namespace limner::pipelines
