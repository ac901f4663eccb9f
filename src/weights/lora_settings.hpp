// What is said of a LoRA's scales beside its tensors: by diffusers in the file's header
// (lora_adapter_metadata), by PEFT in the adapter_config.json next to the file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "weights/safetensors.hpp"

namespace limner::weights {

class LoraSettings {
 public:
  // `adapter_config` is empty where there is none. Errors name a member that cannot be honoured.
  static Result<LoraSettings> read(const SafetensorsHeader& file,
                                   const json::object& adapter_config);

  // What up · down are multiplied by for the module `module` (with dots) of `component`: alpha /
  // rank, or alpha / √rank where the file is rank-stabilised. `own_alpha` is that of a tensor of
  // the file, which counts where nothing is said beside the tensors.
  double scale(std::string_view component, std::string_view module, double rank,
               std::optional<double> own_alpha) const;

 private:
  struct Adapter {
    double alpha = 8;  // PEFT's default
    bool is_rank_stabilised = false;
    std::vector<std::pair<std::string, double>> alpha_patterns = {};  // the first that fits counts
  };
  static Result<Adapter> read_adapter(const json::object& config, std::string_view prefix);

  std::map<std::string, Adapter, std::less<>> by_component_;
  std::optional<Adapter> of_all_;
};

}  // namespace limner::weights
