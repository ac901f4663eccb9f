#include "weights/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "weights/checkpoint_configs.hpp"
#include "weights/checkpoint_names.hpp"
#include "weights/scaled_weights.hpp"
#include "weights/text_encoders.hpp"

namespace limner::weights {
namespace {

constexpr std::string_view kDiffusion = "model.diffusion_model.";
constexpr std::array<std::string_view, 2> kVaePrefixes = {"first_stage_model.", "vae."};
constexpr std::array<std::string_view, 3> kTextRoots = {"cond_stage_model.", "conditioner.",
                                                        "text_encoders."};

// Left behind by training; nothing that a picture depends on.
constexpr std::array<std::string_view, 15> kBookkeeping = {
    "model_ema.",   "alphas_cumprod", "betas",       "sqrt_",      "log_one_minus",
    "posterior_",   "denoiser.",      "global_step", "logvar",     "lvlb_weights",
    "scale_factor", "v_pred",         "ztsnr",       "state_dict", "epoch"};

using enum CheckpointKind;

template <std::size_t N>
bool starts_with_any(std::string_view name, const std::array<std::string_view, N>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view prefix) {
    return !prefix.empty() && name.starts_with(prefix);
  });
}

bool has_any_below(const TensorMap& file, std::string_view prefix) {
  const auto it = file.lower_bound(prefix);
  return it != file.end() && it->first.starts_with(prefix);
}

std::int64_t dimension(const TensorMap& tensors, std::string_view name, std::size_t axis) {
  const auto it = tensors.find(name);
  return it != tensors.end() && axis < it->second.shape.size() ? it->second.shape[axis] : 0;
}

Error refused(std::string_view where, std::string_view why) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = fmt::format("{}: {}", where, why),
          .code = "invalid_model"};
}

// Files that look like checkpoints and are something else.
std::optional<std::string_view> not_a_checkpoint(const TensorMap& file) {
  for (const auto& [name, tensor] : file) {
    const std::string_view key = name;
    if (key.starts_with("lora_") || key.find(".lora_") != key.npos) {
      return "is a LoRA, not a checkpoint; offer its folder beside a model with --lora-dir";
    }
    if (key.starts_with("control_model.") || key.starts_with("controlnet_")) {
      return "is a ControlNet, which is not supported";
    }
    if (key == "edm_mean") return "is a Playground 2.5 model, which is not supported";
  }
  if (file.contains("conv_in.weight") && has_any_below(file, "down_blocks.")) {
    return "is one network of a diffusers folder; give the folder";
  }
  return std::nullopt;
}

// The denoiser's tensors: below their usual prefix, or bare in files that hold little else.
NetworkTensors denoiser_of(const TensorMap& file) {
  if (has_any_below(file, kDiffusion)) return NetworkTensors::below(file, kDiffusion);
  NetworkTensors bare;
  for (const auto& [name, tensor] : file) {
    if (!starts_with_any(name, kVaePrefixes) && !starts_with_any(name, kTextRoots) &&
        !starts_with_any(name, kBookkeeping)) {
      bare.tensors.emplace(name, tensor);
    }
  }
  return bare;
}

std::optional<CheckpointKind> recognise(const TensorMap& file, const NetworkTensors& denoiser) {
  if (has_any_below(denoiser.tensors, "double_blocks.0.img_attn.")) return Flux;
  if (has_any_below(denoiser.tensors, "joint_blocks.0.context_block.")) return SD3;
  if (!denoiser.has("input_blocks.0.0.weight")) return std::nullopt;
  if (has_any_below(file, "conditioner.embedders.1.")) return SDXL;
  if (has_any_below(file, "conditioner.embedders.0.model.")) return SDXLRefiner;
  if (has_any_below(file, "cond_stage_model.model.")) return StableDiffusion2;
  // The width of what the prompt is attended to as tells the rest.
  const auto width =
      dimension(denoiser.tensors, "middle_block.1.transformer_blocks.0.attn2.to_k.weight", 1);
  if (width == 1024) return StableDiffusion2;
  const bool has_labels = has_any_below(denoiser.tensors, "label_emb.");
  if (has_labels) return width == 1280 ? SDXLRefiner : SDXL;
  return StableDiffusion1;
}

// Stable Diffusion 2 comes at 512 pixels predicting noise and at 768 predicting v, under equal
// names and shapes.
bool predicts_v(const SafetensorsHeader& file, CheckpointKind kind, std::int64_t in_channels) {
  const auto says = [&](std::string_view key, std::string_view start) {
    const auto it = file.metadata.find(key);
    return it != file.metadata.end() && it->second.starts_with(start);
  };
  if (says("modelspec.prediction_type", "v") || file.tensors.contains("v_pred")) return true;
  if (kind != StableDiffusion2 || in_channels != 4) return false;
  if (says("modelspec.prediction_type", "epsilon") || says("modelspec.resolution", "512")) {
    return false;
  }
  const auto step = file.tensors.find("global_step");
  if (step != file.tensors.end() && step->second.dtype == DType::I64 &&
      step->second.bytes.size() == 8) {
    std::int64_t value = 0;
    std::memcpy(&value, step->second.bytes.data(), sizeof value);
    if (value == 875'000) return false;  // 512-base-ema, the only one published of this length
  }
  return true;
}

json::object pipeline_index(CheckpointKind kind) {
  switch (kind) {
    case StableDiffusion1:
    case StableDiffusion2:
      return {{"_class_name", "StableDiffusionPipeline"}};
    case SDXL:
      return {{"_class_name", "StableDiffusionXLPipeline"}, {"force_zeros_for_empty_prompt", true}};
    case SDXLRefiner:
      return {{"_class_name", "StableDiffusionXLImg2ImgPipeline"},
              {"force_zeros_for_empty_prompt", false},
              {"requires_aesthetics_score", true}};
    case SD3:
      return {{"_class_name", "StableDiffusion3Pipeline"}};
    case Flux:
      return {{"_class_name", "FluxPipeline"}};
  }
  return {};
}

class CheckpointReader {
 public:
  CheckpointReader(const SafetensorsHeader& file, std::string_view where,
                   std::string_view fingerprint, const CheckpointOptions& options)
      : file_(file), where_(where), fingerprint_(fingerprint), options_(options) {}

  Result<Checkpoint> read() {
    if (const auto why = not_a_checkpoint(file_.tensors)) return refused(where_, *why);
    const NetworkTensors denoiser = denoiser_of(file_.tensors);
    const auto kind = recognise(file_.tensors, denoiser);
    if (!kind) {
      return refused(
          where_, "no Stable Diffusion 1, 2, XL or 3 and no FLUX.1 checkpoint by the names in it");
    }
    checkpoint_.kind = *kind;
    checkpoint_.model_index = pipeline_index(*kind);
    // Encoders first: the denoiser's config asks how wide the pooled prompt is.
    for (auto step : {&CheckpointReader::read_text_encoders, &CheckpointReader::read_vae}) {
      if (auto done = (this->*step)(); !done) return done.error();
    }
    if (auto done = read_denoiser(denoiser); !done) return done.error();
    if (auto done = read_scheduler(); !done) return done.error();
    note_unknown(denoiser);
    return std::move(checkpoint_);
  }

 private:
  // Gives the tensors their new names and adds the component.
  template <typename Config>
  Result<void> add(std::string_view name, const NetworkTensors& network, const PlaceTensor& place,
                   Config&& config_of) {
    auto placed = place_all(network, place, checkpoint_.unknown);
    if (!placed) return refused(where_, placed.error().message);
    auto config = given_config(name);
    if (!config) return config.error();
    if (config->empty()) {
      config = config_of(*placed);
      if (!config) return refused(where_, fmt::format("{}: {}", name, config.error().message));
    }
    checkpoint_.components.push_back(
        {.name = std::string(name),
         .config = *std::move(config),
         .weights = std::make_shared<MapWeightSource>(
             *std::move(placed), fmt::format("{}#{} r{}", fingerprint_, name, kLayoutRevision))});
    return {};
  }

  // From the folder of configs, empty without one.
  Result<json::object> given_config(std::string_view name,
                                    std::string_view file = "config.json") const {
    if (!options_.config_dir) return json::object();
    auto value = read_json_file(*options_.config_dir / name / file);
    if (!value) return value.error();
    if (!value->is_object()) return refused(where_, fmt::format("{}/{} is no object", name, file));
    return std::move(value->get_object());
  }

  Result<void> read_text_encoders() {
    for (const auto& source : text_sources()) {
      if (source.kind != checkpoint_.kind) continue;
      const bool is_there = has_any_below(file_.tensors, source.prefix);
      if (checkpoint_.find(source.component)) continue;
      if (!is_there) {
        // SD3 is served without its T5 encoder, too.
        const bool is_optional = source.style == TextStyle::T5 && source.kind == SD3;
        const std::string name(source.component);
        auto& missing = checkpoint_.missing;
        if (!is_optional && std::ranges::find(missing, name) == missing.end()) {
          missing.push_back(name);
        }
        continue;
      }
      std::erase(checkpoint_.missing, std::string(source.component));
      if (auto added = add_text_encoder(source); !added) return added;
    }
    return {};
  }

  Result<void> add_text_encoder(const TextSource& source) {
    const auto network = NetworkTensors::below(file_.tensors, source.prefix);
    return add(source.component, network, text_names(source, network),
               [&](const TensorMap& t) { return text_config(source, t); });
  }

  Result<void> read_vae() {
    for (const auto prefix : kVaePrefixes) {
      if (!has_any_below(file_.tensors, prefix)) continue;
      const auto network = NetworkTensors::below(file_.tensors, prefix);
      return add("vae", network, ldm_vae_names(network),
                 [&](const TensorMap& t) { return vae_config(t, checkpoint_.kind); });
    }
    checkpoint_.missing.emplace_back("vae");
    return {};
  }

  Result<void> read_denoiser(const NetworkTensors& network) {
    switch (checkpoint_.kind) {
      case SD3:
        return add("transformer", network, sd3_names(network), sd3_config);
      case Flux:
        return add("transformer", network, flux_names(network), flux_config);
      case StableDiffusion1:
      case StableDiffusion2:
      case SDXL:
      case SDXLRefiner:
        break;
    }
    std::int64_t pooled_width = 0;
    if (const auto* encoder = checkpoint_.find("text_encoder_2")) {
      const auto* projection = encoder->weights->find("text_projection.weight");
      if (projection) pooled_width = projection->shape[0];
    }
    return add("unet", network, ldm_unet_names(network),
               [&](const TensorMap& t) { return unet_config(t, checkpoint_.kind, pooled_width); });
  }

  Result<void> read_scheduler() {
    auto given = given_config("scheduler", "scheduler_config.json");
    if (!given) return given.error();
    auto& denoiser = checkpoint_.components.back();
    const auto* in_channels = denoiser.config.if_contains("in_channels");
    const bool v =
        predicts_v(file_, checkpoint_.kind,
                   in_channels && in_channels->is_int64() ? in_channels->get_int64() : 0);
    const auto* guidance = denoiser.config.if_contains("guidance_embeds");
    checkpoint_.scheduler =
        given->empty() ? scheduler_config(checkpoint_.kind, v,
                                          guidance && guidance->is_bool() && guidance->get_bool())
                       : *std::move(given);
    if (given->empty() && file_.tensors.contains("ztsnr")) {
      checkpoint_.scheduler["rescale_betas_zero_snr"] = true;
    }
    // The 512-pixel variant of Stable Diffusion 2 is the one that predicts noise.
    if (!options_.config_dir && checkpoint_.kind == StableDiffusion2 && !v) {
      denoiser.config["sample_size"] = 64;
    }
    return {};
  }

  // Names outside every network that was read.
  void note_unknown(const NetworkTensors& denoiser) {
    for (const auto& [name, tensor] : file_.tensors) {
      const bool is_text_read =
          std::ranges::any_of(text_sources(), [&, &key = name](const TextSource& source) {
            return source.kind == checkpoint_.kind && key.starts_with(source.prefix);
          });
      const bool is_denoiser =
          denoiser.prefix.empty() ? denoiser.has(name) : name.starts_with(denoiser.prefix);
      if (!is_text_read && !is_denoiser && !starts_with_any(name, kVaePrefixes) &&
          !starts_with_any(name, kBookkeeping) && !name.ends_with("logit_scale")) {
        checkpoint_.unknown.push_back(name);
      }
    }
  }

  const SafetensorsHeader& file_;
  std::string_view where_;
  std::string_view fingerprint_;
  const CheckpointOptions& options_;
  Checkpoint checkpoint_;
};

}  // namespace

std::string_view to_string(CheckpointKind kind) {
  switch (kind) {
    case StableDiffusion1:
      return "Stable Diffusion 1";
    case StableDiffusion2:
      return "Stable Diffusion 2";
    case SDXL:
      return "SDXL";
    case SDXLRefiner:
      return "SDXL refiner";
    case SD3:
      return "Stable Diffusion 3";
    case Flux:
      return "FLUX.1";
  }
  return "";
}

const CheckpointComponent* Checkpoint::find(std::string_view name) const {
  const auto it = std::ranges::find(components, name, &CheckpointComponent::name);
  return it == components.end() ? nullptr : &*it;
}

Result<Checkpoint> read_checkpoint(SafetensorsHeader file, std::string_view where,
                                   std::string_view fingerprint, const CheckpointOptions& options) {
  if (auto scaled = attach_scales(file, where); !scaled) return scaled.error();
  return CheckpointReader(file, where, fingerprint, options).read();
}

Result<Checkpoint> open_checkpoint(const std::filesystem::path& path,
                                   const CheckpointOptions& options) {
  auto file = open_safetensors(path);
  if (!file) return file.error();
  return read_checkpoint(*std::move(file), path.string(), file_fingerprint(path), options);
}

Result<CheckpointComponent> open_vae_file(const std::filesystem::path& path, CheckpointKind kind) {
  auto file = open_safetensors(path);
  if (!file) return file.error();
  if (auto scaled = attach_scales(*file, path.string()); !scaled) return scaled.error();
  std::string_view prefix;
  for (const auto candidate : kVaePrefixes) {
    if (has_any_below(file->tensors, candidate)) prefix = candidate;
  }
  const auto network = NetworkTensors::below(file->tensors, prefix);
  const PlaceTensor as_it_is = [](std::string_view name, const TensorView&) -> Placements {
    return std::vector<Placement>{{.name = std::string(name)}};
  };
  const bool is_diffusers = has_any_below(network.tensors, "decoder.up_blocks.");
  std::vector<std::string> unknown;
  auto placed = place_all(network, is_diffusers ? as_it_is : ldm_vae_names(network), unknown);
  if (!placed) return refused(path.string(), placed.error().message);
  auto config = vae_config(*placed, kind);
  if (!config) {
    return refused(path.string(), fmt::format("no autoencoder: {}", config.error().message));
  }
  return CheckpointComponent{
      .name = "vae",
      .config = *std::move(config),
      .weights = std::make_shared<MapWeightSource>(
          *std::move(placed), fmt::format("{}#vae r{}", file_fingerprint(path), kLayoutRevision))};
}

Result<void> check_complete(const Checkpoint& checkpoint, std::span<const std::string> supplied,
                            std::string_view where) {
  std::string flags;
  std::string names;
  for (const auto& name : checkpoint.missing) {
    if (std::ranges::find(supplied, name) != supplied.end()) continue;
    names += fmt::format("{}{}", names.empty() ? "" : " and no ", name);
    flags += name == "vae" ? " --vae PATH" : fmt::format(" --text-encoder {}=PATH", name);
  }
  if (names.empty()) return {};
  return Error{
      .kind = ErrorKind::InvalidArgument,
      .message = fmt::format("{}: a {} checkpoint with no {}; supply what is missing with{}", where,
                             to_string(checkpoint.kind), names, flags),
      .code = "incomplete_model"};
}

}  // namespace limner::weights
