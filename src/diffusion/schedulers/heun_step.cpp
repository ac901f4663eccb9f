#include "diffusion/schedulers/heun_step.hpp"

#include <utility>

namespace limner::schedulers {

void HeunStep::take(ConstLatents original, float sigma, float sigma_next, Latents sample) {
  std::vector<float> derivative(sample.size());
  for (std::size_t i = 0; i < sample.size(); ++i) derivative[i] = (sample[i] - original[i]) / sigma;
  if (!is_second_call_) {
    dt_ = sigma_next - sigma;
    first_sample_.assign(sample.begin(), sample.end());
    for (std::size_t i = 0; i < sample.size(); ++i) sample[i] += derivative[i] * dt_;
    first_derivative_ = std::move(derivative);
  } else {
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const float mean = (first_derivative_[i] + derivative[i]) / 2.0F;
      sample[i] = first_sample_[i] + mean * dt_;
    }
  }
  is_second_call_ = !is_second_call_;
}

}  // namespace limner::schedulers
