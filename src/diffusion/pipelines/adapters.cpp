#include "diffusion/pipelines/adapters.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "diffusion/tokenizers/lora_tags.hpp"

namespace limner::pipelines {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kFilesMax = 10'000;
constexpr std::size_t kLorasPerRequestMax = 16;
constexpr double kScaleMax = 10;
// Finer than anybody sees, and coarse enough that 0.8 is 0.8 wherever it was read.
constexpr double kScaleStep = 1e-4;
constexpr std::size_t kNamesShown = 10;

struct Strengths {
  double denoiser = 0;
  double text_encoders = 0;
};

double rounded(double scale) {
  return std::round(scale / kScaleStep) * kScaleStep;
}

Error unknown_lora(std::string_view field, const std::string& name,
                   const std::vector<std::string>& known) {
  const std::size_t shown = std::min(known.size(), kNamesShown);
  return invalid_value(
      field,
      fmt::format(
          "{}: this model has no LoRA \"{:.64}\"; it has {}{}", field, name,
          fmt::join(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
          known.size() > shown ? ", …" : ""),
      "unknown_lora");
}

}  // namespace

Result<LoraFiles> find_loras(const fs::path& dir) {
  std::error_code failed;
  LoraFiles files;
  fs::recursive_directory_iterator entries(dir, failed);
  for (const auto end = fs::recursive_directory_iterator(); !failed && entries != end;
       entries.increment(failed)) {
    if (entries->path().extension() != ".safetensors") continue;
    std::error_code unreadable;
    if (!entries->is_regular_file(unreadable)) continue;
    auto name = fs::path(entries->path()).replace_extension().lexically_relative(dir).string();
    files.emplace(std::move(name), entries->path());
    if (files.size() == kFilesMax) break;
  }
  if (!failed) return files;
  return invalid_value("", fmt::format("--lora-dir {}: {}", dir.string(), failed.message()),
                       "invalid_config");
}

Result<GenerationRequest> with_adapters_of_prompt(GenerationRequest request,
                                                  const ModelTraits& traits) {
  if (traits.adapters.empty()) return request;
  std::map<std::string, Strengths> sums;
  const auto add = [&](std::string_view field, const AdapterRef& adapter) -> Result<void> {
    if (std::ranges::find(traits.adapters, adapter.name) == traits.adapters.end()) {
      return unknown_lora(field, adapter.name, traits.adapters);
    }
    auto& sum = sums[adapter.name];
    sum.denoiser += adapter.scale;
    sum.text_encoders += adapter.text_encoder_scale.value_or(adapter.scale);
    for (const double strength : {sum.denoiser, sum.text_encoders}) {
      if (std::abs(strength) <= kScaleMax) continue;
      return invalid_value(field, fmt::format("{}: got a strength of {}, expected {} to {}", field,
                                              strength, -kScaleMax, kScaleMax));
    }
    return {};
  };
  for (const auto& adapter : request.adapters) {
    if (auto added = add("loras", adapter); !added) return added.error();
  }
  auto tags = tokenizers::extract_lora_tags(request.prompt.text);
  if (!tags) return tags.error();
  for (const auto& tag : tags->loras) {
    const AdapterRef adapter{
        .name = tag.name, .scale = tag.strength, .text_encoder_scale = tag.text_encoder_strength};
    if (auto added = add("prompt", adapter); !added) return added.error();
  }
  if (sums.size() > kLorasPerRequestMax) {
    return invalid_value("loras", fmt::format("loras: got {}, at most {} at once", sums.size(),
                                              kLorasPerRequestMax));
  }
  request.prompt.text = std::move(tags->prompt);
  request.adapters.clear();
  for (const auto& [name, sum] : sums) {
    AdapterRef adapter{.name = name, .scale = rounded(sum.denoiser)};
    const double text_encoders = rounded(sum.text_encoders);
    if (text_encoders != adapter.scale) adapter.text_encoder_scale = text_encoders;
    if (adapter.scale != 0 || text_encoders != 0) request.adapters.push_back(std::move(adapter));
  }
  return request;
}

}  // namespace limner::pipelines
