#include "engine/preview_steps.hpp"

namespace limner::engine {

std::vector<int> preview_steps(int partial_images, int step_count) {
  std::vector<int> steps;
  for (int k = 0; k < partial_images; ++k) {
    const int step = (k + 1) * step_count / (partial_images + 1);
    const bool is_new = steps.empty() || steps.back() < step;
    if (step >= 1 && step < step_count && is_new) steps.push_back(step);
  }
  return steps;
}

}  // namespace limner::engine
