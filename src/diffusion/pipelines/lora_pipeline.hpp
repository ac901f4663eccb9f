// A pipeline whose requests may ask for LoRAs, by `<lora:name:0.8>` in the prompt or in their
// adapters. Each set of names and strengths is a variant of the model with the additions fused into
// its weights: made when first asked for, kept for the next, and as fast as the model itself.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/lru_cache.hpp"
#include "base/result.hpp"
#include "diffusion/pipelines/pipeline.hpp"
#include "weights/lora.hpp"

namespace limner::pipelines {

// The model with LoRAs fused.
using LoadVariant =
    std::function<Result<std::unique_ptr<Pipeline>>(const std::vector<weights::AppliedLora>&)>;

class LoraPipeline final : public Pipeline {
 public:
  struct Parts {
    std::shared_ptr<Pipeline> base;  // shared with the requests that it paints
    std::map<std::string, std::filesystem::path, std::less<>> files;  // by the name of the LoRA
    std::vector<weights::LoraBase> networks;                          // that LoRAs may change
    LoadVariant load_variant;
    std::size_t variants_max = 2;  // each has its own copy of the weights that it changes
  };
  explicit LoraPipeline(Parts parts);

  const ModelTraits& traits() const override { return traits_; }
  BatchShape batch_shape(const GenerationRequest& request) const override;
  int rows_max(const BatchKey& key) const override { return parts_.base->rows_max(key); }
  Result<EffectiveParams> check(const GenerationRequest& request) const override;
  Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) override;
  std::vector<Result<void>> step(std::span<DenoiseState* const> states) override;
  Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality quality) override;

 private:
  class State;
  // The request without tags, and all that it asks for.
  struct Asked {
    GenerationRequest request;
    std::map<std::string, double> strengths;
    std::string key() const;  // "a:0.8,b:1"
  };
  struct Variant {
    std::shared_ptr<Pipeline> pipeline;  // shared with the requests that it paints
    std::vector<std::string> notes;      // about what did not apply
  };

  Result<Asked> parse(const GenerationRequest& request) const;
  Result<Variant> find_variant(const Asked& asked);
  Result<std::shared_ptr<const weights::Lora>> find_lora(const std::string& name);

  const Parts parts_;
  const ModelTraits traits_;
  LruCache<Variant> variants_;
  LruCache<std::shared_ptr<const weights::Lora>> loras_;
};

// The LoRA files of a folder and of the folders in it, by path without extension: "style/ink".
Result<std::map<std::string, std::filesystem::path, std::less<>>> find_loras(
    const std::filesystem::path& dir);

}  // namespace limner::pipelines
