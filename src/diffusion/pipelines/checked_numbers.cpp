#include "diffusion/pipelines/checked_numbers.hpp"

#include <fmt/format.h>

#include "base/finite.hpp"

namespace limner::pipelines {

Result<void> check_numbers(std::span<const float> numbers, std::string_view what) {
  if (are_usable(numbers)) return {};
  return Error{.kind = ErrorKind::Internal,
               .message = fmt::format("{} gave numbers that are not finite or too large to "
                                      "calculate with (NaN, infinity): the model's weights are "
                                      "damaged, or overflow",
                                      what),
               .code = "non_finite_numbers"};
}

}  // namespace limner::pipelines
