// Which weight a module named in a LoRA file is. Files disagree about names (the original code's or
// diffusers') and about dots and underscores; all are compared with underscores.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weights/checkpoint_names.hpp"
#include "weights/weight_source.hpp"

namespace limner::weights {

// "a.b.0" → "a_b_0"
std::string with_underscores(std::string_view name);

class LoraNames {
 public:
  // Of one network under diffusers' names.
  explicit LoraNames(WeightSource& network);

  // The weights that a module is made of, and which rows of its output each takes. `module` has
  // underscores; `rows` is the height of its `up` matrix. Empty where the network has no such
  // module.
  std::vector<Placement> find(std::string_view module, std::int64_t rows) const;

 private:
  void add_unet_originals(const std::vector<std::string>& modules);
  void add_transformer_originals(WeightSource& network, const std::vector<std::string>& modules);

  std::map<std::string, std::string, std::less<>> weights_;    // diffusers and LDM: one to one
  std::map<std::string, std::string, std::less<>> originals_;  // of transformers: fused ones, too
  PlaceTensor place_original_;
};

}  // namespace limner::weights
