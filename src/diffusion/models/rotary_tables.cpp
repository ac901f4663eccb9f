#include "diffusion/models/rotary_tables.hpp"

#include <cmath>

namespace limner::models {

void RotaryTables::add_axis(double position, std::int64_t dim, double theta) {
  for (std::int64_t i = 0; i < dim; i += 2) {
    const double frequency =
        1.0 / std::pow(theta, static_cast<double>(i) / static_cast<double>(dim));
    const double angle = position * frequency;
    cos.insert(cos.end(), 2, static_cast<float>(std::cos(angle)));
    sin.insert(sin.end(), 2, static_cast<float>(std::sin(angle)));
  }
}

}  // namespace limner::models
