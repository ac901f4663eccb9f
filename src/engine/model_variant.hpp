// What the model pool holds: a model, or a model with LoRAs fused into its weights.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/generation.hpp"

namespace limner::engine {

struct ModelVariant {
  std::string model;
  std::vector<AdapterRef> adapters = {};  // in order of names, none twice

  ModelVariant() = default;
  // Not explicit: a model's name is the model without any.
  ModelVariant(std::string name, std::vector<AdapterRef> fused = {})
      : model(std::move(name)), adapters(std::move(fused)) {}
  ModelVariant(const char* name) : model(name) {}

  static ModelVariant of(const GenerationRequest& request) {
    return {request.model, request.adapters};
  }
  bool is_plain() const { return adapters.empty(); }
  // "sd15", "sd15 <ink:0.8>": names it among all that are in memory.
  std::string key() const { return is_plain() ? model : model + " " + adapter_text(); }
  // "<ink:0.8><film:1>", empty without any.
  std::string adapter_text() const;
};

}  // namespace limner::engine
