// A pipeline with LoRAs fused into its weights: as fast as without, and each answer says what of
// them had no effect.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/pipelines/wrapped_pipeline.hpp"

namespace limner::pipelines {

class FusedPipeline final : public WrappedPipeline {
 public:
  // `notes` are sentences for the client.
  FusedPipeline(std::unique_ptr<Pipeline> fused, std::vector<std::string> notes)
      : WrappedPipeline(std::move(fused)), notes_(std::move(notes)) {}

 private:
  EffectiveParams describe(EffectiveParams effective, const GenerationRequest&) const override {
    effective.notes.insert(effective.notes.end(), notes_.begin(), notes_.end());
    return effective;
  }

  std::vector<std::string> notes_;
};

}  // namespace limner::pipelines
