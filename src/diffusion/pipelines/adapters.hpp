// LoRAs as requests name them: by field and by `<lora:name:0.8>` in the prompt.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.hpp"
#include "core/generation.hpp"

namespace limner::pipelines {

using LoraFiles = std::map<std::string, std::filesystem::path, std::less<>>;  // by name

// The LoRA files of a folder and of the folders in it, by path without extension: "style/ink".
Result<LoraFiles> find_loras(const std::filesystem::path& dir);

// The request with tags taken out of its prompt and all it asks for in `adapters`, in order of
// names, none twice and none without effect: one that comes several times adds up. The error names
// a LoRA that the model does not have. A model without any leaves the request as it is.
Result<GenerationRequest> with_adapters_of_prompt(GenerationRequest request,
                                                  const ModelTraits& traits);

}  // namespace limner::pipelines
