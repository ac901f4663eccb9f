#include "weights/text_encoders.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/log.hpp"
#include "weights/checkpoint_configs.hpp"
#include "weights/scaled_weights.hpp"

namespace limner::weights {
namespace {

using enum CheckpointKind;

constexpr std::array<TextSource, 12> kTextSources = {{
    {StableDiffusion1, "text_encoder", "cond_stage_model.transformer.", TextStyle::Clip,
     "quick_gelu"},
    {StableDiffusion1, "text_encoder", "text_encoders.clip_l.transformer.", TextStyle::Clip,
     "quick_gelu"},
    {StableDiffusion2, "text_encoder", "cond_stage_model.model.", TextStyle::OpenClip, "gelu"},
    {StableDiffusion2, "text_encoder", "cond_stage_model.transformer.", TextStyle::Clip, "gelu"},
    {SDXL, "text_encoder", "conditioner.embedders.0.transformer.", TextStyle::Clip, "quick_gelu"},
    {SDXL, "text_encoder_2", "conditioner.embedders.1.model.", TextStyle::OpenClip, "gelu", true},
    {SDXLRefiner, "text_encoder_2", "conditioner.embedders.0.model.", TextStyle::OpenClip, "gelu",
     true},
    {SD3, "text_encoder", "text_encoders.clip_l.transformer.", TextStyle::Clip, "quick_gelu", true},
    {SD3, "text_encoder_2", "text_encoders.clip_g.transformer.", TextStyle::Clip, "gelu", true},
    {SD3, "text_encoder_3", "text_encoders.t5xxl.transformer.", TextStyle::T5, ""},
    {Flux, "text_encoder", "text_encoders.clip_l.transformer.", TextStyle::Clip, "quick_gelu"},
    {Flux, "text_encoder_2", "text_encoders.t5xxl.transformer.", TextStyle::T5, ""},
}};

// A tensor that tells whose names an encoder has. The longer of CLIP's two comes first, so that
// what is before it is the whole prefix.
struct Anchor {
  TextStyle style;
  std::string_view name;
};
constexpr std::array<Anchor, 4> kAnchors = {{
    {TextStyle::T5, "encoder.block.0.layer.0.SelfAttention.q.weight"},
    {TextStyle::OpenClip, "transformer.resblocks.0.ln_1.weight"},
    {TextStyle::Clip, "text_model.encoder.layers.0.layer_norm1.weight"},
    {TextStyle::Clip, "encoder.layers.0.layer_norm1.weight"},
}};

struct Found {
  TextStyle style;
  std::string prefix;
};

std::vector<Found> find_encoders(const TensorMap& file) {
  std::vector<Found> found;
  for (const auto& [name, tensor] : file) {
    const auto anchor = std::ranges::find_if(
        kAnchors, [&, &key = name](const Anchor& a) { return key.ends_with(a.name); });
    const bool is_vision = name.starts_with("vision_model.") || name.starts_with("visual.");
    if (anchor == kAnchors.end() || is_vision) continue;
    found.push_back({anchor->style, name.substr(0, name.size() - anchor->name.size())});
  }
  return found;
}

Error refused(const std::filesystem::path& path, std::string_view why) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = fmt::format("{}: {}", path.string(), why),
          .code = "invalid_model"};
}

}  // namespace

std::span<const TextSource> text_sources() {
  return kTextSources;
}

PlaceTensor text_names(const TextSource& source, const NetworkTensors& network) {
  switch (source.style) {
    case TextStyle::Clip:
      return clip_names(source.has_projection);
    case TextStyle::OpenClip:
      return open_clip_names(source.has_projection, source.kind == StableDiffusion2);
    case TextStyle::T5:
      return t5_names(network);
  }
  return {};
}

Result<json::object> text_config(const TextSource& source, const TensorMap& tensors) {
  return source.style == TextStyle::T5 ? t5_config(tensors)
                                       : clip_config(tensors, source.activation);
}

Result<CheckpointComponent> open_text_encoder_file(const std::filesystem::path& path,
                                                   CheckpointKind kind,
                                                   std::string_view component) {
  const auto known = std::ranges::find_if(kTextSources, [&](const TextSource& source) {
    return source.kind == kind && source.component == component;
  });
  if (known == kTextSources.end()) {
    return refused(path, fmt::format("a {} model has no {}", to_string(kind), component));
  }
  auto file = open_safetensors(path);
  if (!file) return file.error();
  if (auto scaled = attach_scales(*file, path.string()); !scaled) return scaled.error();
  TextSource source = *known;
  const bool wants_t5 = source.style == TextStyle::T5;
  auto found = find_encoders(file->tensors);
  std::erase_if(found, [&](const Found& one) { return (one.style == TextStyle::T5) != wants_t5; });
  if (found.size() != 1) {
    return refused(path, fmt::format("holds {} {} text encoders by the names in it, expected one "
                                     "for the {} of a {} model",
                                     found.empty() ? "no" : "several", wants_t5 ? "T5" : "CLIP",
                                     component, to_string(kind)));
  }
  source.style = found.front().style;
  std::vector<std::string> unknown;
  const auto network = NetworkTensors::below(file->tensors, found.front().prefix);
  auto placed = place_all(network, text_names(source, network), unknown);
  if (!placed) return refused(path, placed.error().message);
  auto config = text_config(source, *placed);
  if (!config) return refused(path, fmt::format("no {}: {}", component, config.error().message));
  if (!unknown.empty()) {
    log::warn("{}: {} tensors have no place in the text encoder, the first is {}",
              path.filename().string(), unknown.size(), unknown.front());
  }
  return CheckpointComponent{
      .name = std::string(component),
      .config = *std::move(config),
      .weights = std::make_shared<MapWeightSource>(
          *std::move(placed),
          fmt::format("{}#{} r{}", file_fingerprint(path), component, kLayoutRevision))};
}

}  // namespace limner::weights
