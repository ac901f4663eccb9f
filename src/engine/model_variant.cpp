#include "engine/model_variant.hpp"

#include <fmt/format.h>

namespace limner::engine {

std::string ModelVariant::adapter_text() const {
  std::string text;
  for (const auto& adapter : adapters)
    text += fmt::format("<{}:{:.4g}>", adapter.name, adapter.scale);
  return text;
}

}  // namespace limner::engine
