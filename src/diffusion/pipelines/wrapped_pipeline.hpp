// A pipeline around another one, which does the painting: it passes everything on and may tell the
// client something of its own. Derive from it and override what differs.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "diffusion/pipelines/pipeline.hpp"

namespace limner::pipelines {

class WrappedState : public DenoiseState {
 public:
  WrappedState(std::unique_ptr<DenoiseState> inner, EffectiveParams effective)
      : inner_(std::move(inner)), effective_(std::move(effective)) {}

  int step_index() const override { return inner_->step_index(); }
  int step_count() const override { return inner_->step_count(); }
  const EffectiveParams& effective() const override { return effective_; }
  DenoiseState& inner() const { return *inner_; }

 private:
  std::unique_ptr<DenoiseState> inner_;
  EffectiveParams effective_;
};

class WrappedPipeline : public Pipeline {
 public:
  explicit WrappedPipeline(std::unique_ptr<Pipeline> inner) : inner_(std::move(inner)) {}

  const ModelTraits& traits() const override { return inner_->traits(); }
  BatchShape batch_shape(const GenerationRequest& request) const override {
    return inner_->batch_shape(request);
  }
  int rows_max(const BatchKey& key) const override { return inner_->rows_max(key); }
  Result<EffectiveParams> check(const GenerationRequest& request) const override;
  // States must be WrappedState from here on.
  Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) override;
  std::vector<Result<void>> step(std::span<DenoiseState* const> states) override;
  Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality quality) override;

 protected:
  Pipeline& inner() { return *inner_; }
  const Pipeline& inner() const { return *inner_; }
  // What the inner pipeline resolved, as the client is to hear it.
  virtual EffectiveParams describe(EffectiveParams effective,
                                   const GenerationRequest& request) const = 0;

 private:
  std::unique_ptr<Pipeline> inner_;
};

}  // namespace limner::pipelines
