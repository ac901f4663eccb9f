// A pipeline with LoRAs fused into its weights: as fast as without, and each answer says what of
// them had no effect.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "diffusion/pipelines/pipeline.hpp"

namespace limner::pipelines {

class FusedPipeline final : public Pipeline {
 public:
  // `notes` are sentences for the client.
  FusedPipeline(std::unique_ptr<Pipeline> fused, std::vector<std::string> notes)
      : fused_(std::move(fused)), notes_(std::move(notes)) {}

  const ModelTraits& traits() const override { return fused_->traits(); }
  BatchShape batch_shape(const GenerationRequest& request) const override {
    return fused_->batch_shape(request);
  }
  int rows_max(const BatchKey& key) const override { return fused_->rows_max(key); }
  Result<EffectiveParams> check(const GenerationRequest& request) const override;
  Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) override;
  std::vector<Result<void>> step(std::span<DenoiseState* const> states) override;
  Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality quality) override;

 private:
  std::unique_ptr<Pipeline> fused_;
  std::vector<std::string> notes_;
};

}  // namespace limner::pipelines
