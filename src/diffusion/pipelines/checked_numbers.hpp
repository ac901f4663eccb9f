// Numbers that a network gave, before anything is made of them.
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"

namespace limner::pipelines {

// Error: Internal, "non_finite_numbers", when one of them is NaN, infinite or too large to
// calculate with. `what` begins the sentence: "the denoiser at step 3 of 20".
Result<void> check_numbers(std::span<const float> numbers, std::string_view what);

}  // namespace limner::pipelines
