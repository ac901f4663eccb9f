// The arithmetic that networks run in.
#pragma once

#include <optional>
#include <string_view>

namespace limner::runtime {

// Auto: the faster of the two on this processor, as measured (precision_choice.hpp).
enum class Precision { Auto, F32, Bf16 };

std::string_view to_string(Precision precision);
std::optional<Precision> parse_precision(std::string_view text);

}  // namespace limner::runtime
