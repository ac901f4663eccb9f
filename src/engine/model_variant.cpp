#include "engine/model_variant.hpp"

#include <fmt/format.h>

namespace limner::engine {

std::string ModelVariant::adapter_text() const {
  std::string text;
  for (const auto& adapter : adapters)
    text += fmt::format("<{}:{}>", adapter.name, strength_text(adapter));
  return text;
}

}  // namespace limner::engine
