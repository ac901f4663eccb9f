// The second-order step that both Heun schedulers take: an Euler call, then one that makes the step
// again with the mean of both derivatives. arXiv:2206.00364 algorithm 1.
#pragma once

#include <vector>

#include "diffusion/schedulers/prediction.hpp"

namespace limner::schedulers {

class HeunStep {
 public:
  // Forgets a step that is half done.
  void reset() { is_second_call_ = false; }
  // `original` is x_0 as predicted at `sigma`; the first call heads for sigma_next.
  void take(ConstLatents original, float sigma, float sigma_next, Latents sample);

 private:
  // Between the two calls: what the first one left.
  bool is_second_call_ = false;
  float dt_ = 0.0F;
  std::vector<float> first_derivative_;
  std::vector<float> first_sample_;
};

}  // namespace limner::schedulers
