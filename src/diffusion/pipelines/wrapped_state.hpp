// A request's state inside another pipeline's, which tells the client something of its own.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

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

// What is inside of states that are all WrappedState.
inline std::vector<DenoiseState*> unwrap(std::span<DenoiseState* const> states) {
  std::vector<DenoiseState*> inner;
  for (auto* state : states) inner.push_back(&static_cast<WrappedState&>(*state).inner());
  return inner;
}

}  // namespace limner::pipelines
