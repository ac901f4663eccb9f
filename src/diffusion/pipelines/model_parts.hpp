// Components that lie elsewhere than the model itself.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace limner::pipelines {

// Empty paths: nowhere else.
struct ModelParts {
  std::filesystem::path vae = {};  // a folder, or a file of its own
  // "text_encoder_2" → its folder with the tokenizer in it or in ../tokenizer_2, or a file of its
  // own with the tokenizer beside it or among the configs.
  std::map<std::string, std::filesystem::path> text_encoders = {};
  // A diffusers folder whose configs and tokenizers a checkpoint takes in place of deduced ones.
  std::filesystem::path configs = {};
};

}  // namespace limner::pipelines
