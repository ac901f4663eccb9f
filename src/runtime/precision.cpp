#include "runtime/precision.hpp"

namespace limner::runtime {

std::string_view to_string(Precision precision) {
  switch (precision) {
    case Precision::Auto:
      return "auto";
    case Precision::F32:
      return "f32";
    case Precision::Bf16:
      return "bf16";
  }
  return "unknown";
}

std::optional<Precision> parse_precision(std::string_view text) {
  for (const auto p : {Precision::Auto, Precision::F32, Precision::Bf16}) {
    if (to_string(p) == text) return p;
  }
  return std::nullopt;
}

}  // namespace limner::runtime
