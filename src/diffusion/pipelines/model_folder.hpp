// Where a pipeline's components come from: a diffusers folder, whose model_index.json names the
// class and the components, or a single-file checkpoint, which is read as such a folder.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"
#include "diffusion/models/autoencoder.hpp"
#include "diffusion/models/component.hpp"
#include "diffusion/pipelines/model_files.hpp"
#include "diffusion/pipelines/model_parts.hpp"
#include "diffusion/schedulers/factory.hpp"
#include "diffusion/tokenizers/clip_tokenizer.hpp"
#include "diffusion/tokenizers/qwen2_tokenizer.hpp"
#include "diffusion/tokenizers/t5_tokenizer.hpp"
#include "weights/checkpoint.hpp"
#include "weights/lora.hpp"

namespace limner::pipelines {

// A LoRA and how much of it to add to the denoiser and to the text encoders.
struct WantedLora {
  std::shared_ptr<const weights::Lora> lora;  // shared as in weights::AppliedLora
  float strength = 1.0f;
  float text_encoder_strength = 1.0f;
};

class ModelFolder {
 public:
  // `path` is a folder or a safetensors file of any name. An error names what a checkpoint lacks
  // and the flag that supplies it.
  static Result<ModelFolder> open(const std::filesystem::path& path, ModelParts parts = {});

  const std::string& class_name() const { return class_name_; }
  // Is the component there, and not [null, null]?
  bool has(std::string_view component) const;
  // A plain value of model_index.json such as force_zeros_for_empty_prompt.
  bool flag(std::string_view key, bool fallback) const;

  // `name` is "unet", "vae", "text_encoder_2", …
  Result<models::Component> open_component(const std::string& name) const;
  Result<std::unique_ptr<models::Autoencoder>> open_vae(
      runtime::Runtime& runtime, const models::NetworkOptions& options) const;
  // `number` is "", "_2" or "_3". A checkpoint's CLIP tokenizer is the built-in one.
  Result<tokenizers::ClipTokenizer> open_clip_tokenizer(const std::string& number) const;
  Result<tokenizers::T5Tokenizer> open_t5_tokenizer(const std::string& number) const;
  Result<tokenizers::Qwen2Tokenizer> open_qwen2_tokenizer(const std::string& number) const;
  Result<schedulers::SchedulerConfig> scheduler_config() const;

  // The networks that a LoRA may change, as they are without any.
  Result<std::vector<weights::LoraBase>> open_lora_networks() const;
  // The same model with LoRAs fused into what open_component gives.
  ModelFolder with_loras(std::vector<WantedLora> loras) const;

  // The arithmetic of all that is opened from here on, and of the traits.
  void set_precision(runtime::Precision precision) { precision_ = precision; }
  runtime::Precision precision() const { return precision_; }

  // Names of LoRAs that requests may ask for, for the traits.
  void offer_loras(std::vector<std::string> names) { lora_names_ = std::move(names); }

  // Completes `traits` by the LoRAs on offer, and by the defaults that a model recorded for itself
  // in limner.json; absent ones keep what is there.
  // Errors: a key that is not known, a value out of range.
  Result<void> apply_own_defaults(ModelTraits& traits) const;

 private:
  Result<void> open_index();
  Result<void> open_checkpoint();
  Result<models::Component> open_plain(const std::string& name) const;
  Result<models::Component> open_supplied_vae() const;
  Result<models::Component> open_supplied_text_encoder(const std::string& name,
                                                       const std::filesystem::path& path) const;
  weights::CheckpointKind kind() const;
  std::optional<std::filesystem::path> find_tokenizer(const std::string& number) const;

  std::filesystem::path path_;
  ModelParts parts_;
  FileFormat format_ = FileFormat::Safetensors;
  json::object index_;
  std::string class_name_;
  runtime::Precision precision_ = runtime::Precision::F32;
  std::vector<std::string> lora_names_;
  std::vector<WantedLora> loras_;
  std::shared_ptr<const weights::Checkpoint> checkpoint_;  // shared by copies; null for a folder
};

}  // namespace limner::pipelines
