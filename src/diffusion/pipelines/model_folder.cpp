#include "diffusion/pipelines/model_folder.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.hpp"
#include "diffusion/models/autoencoder_kl.hpp"
#include "diffusion/models/config_reader.hpp"
#include "weights/text_encoders.hpp"
#include "weights/weight_source.hpp"

namespace limner::pipelines {

namespace fs = std::filesystem;

namespace {

Error unusable(const fs::path& path, std::string_view why) {
  return {.kind = ErrorKind::NotFound,
          .message = fmt::format("{}: {}", path.string(), why),
          .code = "invalid_model"};
}

Error no_tokenizer(const fs::path& path, std::string_view kind, std::string_view number) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = fmt::format("{}: the checkpoint has a {} text encoder and no tokenizer; "
                                 "put it beside the encoder or into a folder tokenizer{}, or name "
                                 "a diffusers folder of this family with --model-configs",
                                 path.string(), kind, number),
          .code = "incomplete_model"};
}

bool is_there(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path, failed);
}

bool is_folder(const fs::path& path) {
  std::error_code failed;
  return fs::is_directory(path, failed);
}

bool has_tokenizer_files(const fs::path& dir) {
  return std::ranges::any_of(std::array{"tokenizer.json", "vocab.json", "spiece.model"},
                             [&](const char* file) { return is_there(dir / file); });
}

bool is_t5_of(weights::CheckpointKind kind, std::string_view component) {
  return std::ranges::any_of(weights::text_sources(), [&](const weights::TextSource& source) {
    return source.kind == kind && source.component == component &&
           source.style == weights::TextStyle::T5;
  });
}

void warn_of_unknown(const fs::path& path, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const std::size_t shown = std::min<std::size_t>(names.size(), 5);
  log::warn("{}: {} tensors have no place in the model: {}{}", path.filename().string(),
            names.size(),
            fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
            names.size() > shown ? ", …" : "");
}

}  // namespace

Result<ModelFolder> ModelFolder::open(const fs::path& path, ModelParts parts) {
  if (!is_there(path)) return unusable(path, "there is no such file or folder");
  ModelFolder folder;
  folder.path_ = path;
  folder.parts_ = std::move(parts);
  auto opened = is_folder(path) ? folder.open_index() : folder.open_checkpoint();
  if (!opened) return opened.error();
  auto name = get_string(folder.index_, "_class_name", "", "model_index.json");
  if (!name) return name.error();
  if (name->empty()) return unusable(path, "model_index.json has no _class_name");
  folder.class_name_ = *std::move(name);
  return folder;
}

Result<void> ModelFolder::open_index() {
  if (!is_there(path_ / "model_index.json")) {
    return unusable(path_, "is not a diffusers folder, it has no model_index.json");
  }
  auto index = models::read_config(path_ / "model_index.json");
  if (!index) return index.error();
  index_ = *std::move(index);
  const auto files = find_model_files(path_, index_, parts_);
  format_ = files.format;
  if (files.has_both_formats) {
    log::info(
        "{} holds its networks as safetensors and as OpenVINO IR; the safetensors are used, "
        "an IR is served from a folder of its own",
        path_.string());
  } else if (format_ == FileFormat::OpenVinoIr) {
    log::info("{} is served as OpenVINO IR", path_.string());
  }
  return {};
}

Result<void> ModelFolder::open_checkpoint() {
  weights::CheckpointOptions options;
  if (!parts_.configs.empty()) options.config_dir = parts_.configs;
  auto checkpoint = weights::open_checkpoint(path_, options);
  if (!checkpoint) return checkpoint.error();
  std::vector<std::string> supplied;
  if (!parts_.vae.empty()) supplied.emplace_back("vae");
  for (const auto& [name, dir] : parts_.text_encoders) supplied.push_back(name);
  auto complete = weights::check_complete(*checkpoint, supplied, path_.string());
  if (!complete) return complete;
  warn_of_unknown(path_, checkpoint->unknown);
  log::info("{} is a {} checkpoint", path_.filename().string(),
            weights::to_string(checkpoint->kind));
  index_ = checkpoint->model_index;
  checkpoint_ = std::make_shared<const weights::Checkpoint>(*std::move(checkpoint));
  return {};
}

bool ModelFolder::has(std::string_view component) const {
  if (parts_.text_encoders.contains(std::string(component))) return true;
  if (checkpoint_) return checkpoint_->find(component) || component == "vae";
  return names_component(index_, component);
}

bool ModelFolder::flag(std::string_view key, bool fallback) const {
  const auto* value = index_.if_contains(key);
  return value && value->is_bool() ? value->get_bool() : fallback;
}

Result<models::Component> ModelFolder::open_component(const std::string& name) const {
  auto component = open_plain(name);
  if (component) component->precision = precision_;
  if (component && !loras_.empty()) {
    std::vector<weights::AppliedLora> applied;
    const bool is_text_encoder = name.starts_with("text_encoder");
    for (const auto& wanted : loras_) {
      applied.push_back(
          {.lora = wanted.lora,
           .strength = is_text_encoder ? wanted.text_encoder_strength : wanted.strength});
    }
    component->weights =
        weights::with_loras(name, std::move(component->weights), std::move(applied));
  }
  return component;
}

Result<std::vector<weights::LoraBase>> ModelFolder::open_lora_networks() const {
  std::vector<weights::LoraBase> networks;
  for (const char* name :
       {"unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3"}) {
    if (!has(name)) continue;
    auto component = open_plain(name);
    if (!component) return component.error();
    if (!component->ir.empty()) {
      return unusable(path_,
                      "LoRAs cannot be added to OpenVINO IR, whose weights are unnamed; "
                      "serve the model's safetensors, or leave --lora-dir out");
    }
    networks.push_back({.component = name, .weights = std::move(component->weights)});
  }
  return networks;
}

ModelFolder ModelFolder::with_loras(std::vector<WantedLora> loras) const {
  ModelFolder folder = *this;
  folder.loras_ = std::move(loras);
  return folder;
}

Result<models::Component> ModelFolder::open_plain(const std::string& name) const {
  if (name == "vae" && !parts_.vae.empty()) return open_supplied_vae();
  const auto supplied = parts_.text_encoders.find(name);
  if (supplied != parts_.text_encoders.end()) {
    return open_supplied_text_encoder(name, supplied->second);
  }
  if (!checkpoint_) {
    return models::Component::open(path_ / name, name, format_ == FileFormat::OpenVinoIr);
  }
  const auto* component = checkpoint_->find(name);
  if (!component) return unusable(path_, fmt::format("the checkpoint has no {}", name));
  return models::Component{.name = name,
                           .where = fmt::format("{} of {}", name, path_.filename().string()),
                           .config = component->config,
                           .weights = component->weights};
}

// IR folders hold its halves.
Result<std::unique_ptr<models::Autoencoder>> ModelFolder::open_vae(
    runtime::Runtime& runtime, const models::NetworkOptions& options) const {
  const bool has_halves = !checkpoint_ && parts_.vae.empty() &&
                          models::ir_files(path_ / "vae_decoder") &&
                          models::ir_files(path_ / "vae_encoder");
  const bool takes_halves =
      has_halves && (format_ == FileFormat::OpenVinoIr || !weights::component_files(path_ / "vae"));
  if (!takes_halves) {
    auto component = open_component("vae");
    if (!component) return component.error();
    return models::load_autoencoder(runtime, *component, options);
  }
  auto decoder = models::Component::open(path_ / "vae_decoder", "vae_decoder", true);
  if (!decoder) return decoder.error();
  auto encoder = models::Component::open(path_ / "vae_encoder", "vae_encoder", true);
  if (!encoder) return encoder.error();
  decoder->precision = encoder->precision = precision_;
  auto vae = models::AutoencoderKL::load_halves(runtime, *decoder, *encoder, options);
  if (!vae) return vae.error();
  return std::unique_ptr<models::Autoencoder>(
      std::make_unique<models::AutoencoderKL>(*std::move(vae)));
}

// A file's scaling factors are those of the model that it is for.
Result<models::Component> ModelFolder::open_supplied_vae() const {
  if (is_folder(parts_.vae)) return models::Component::open(parts_.vae, "vae");
  auto vae = weights::open_vae_file(parts_.vae, kind());
  if (!vae) return vae.error();
  if (!checkpoint_) {
    auto config = models::read_config(path_ / "vae" / "config.json");
    if (!config) return config.error();
    vae->config = *std::move(config);
  }
  return models::Component{.name = "vae",
                           .where = parts_.vae.filename().string(),
                           .config = std::move(vae->config),
                           .weights = std::move(vae->weights)};
}

// A file's config is the folder's own, or that of --model-configs, where there is one.
Result<models::Component> ModelFolder::open_supplied_text_encoder(const std::string& name,
                                                                  const fs::path& path) const {
  if (is_folder(path)) return models::Component::open(path, name);
  auto encoder = weights::open_text_encoder_file(path, kind(), name);
  if (!encoder) return encoder.error();
  for (const auto& dir : {checkpoint_ ? fs::path() : path_, parts_.configs}) {
    const auto file = dir / name / "config.json";
    if (dir.empty() || !is_there(file)) continue;
    auto config = models::read_config(file);
    if (!config) return config.error();
    encoder->config = *std::move(config);
  }
  return models::Component{.name = name,
                           .where = fmt::format("{} in {}", name, path.filename().string()),
                           .config = std::move(encoder->config),
                           .weights = std::move(encoder->weights)};
}

// Of a folder by its class: what files of single components are read by.
weights::CheckpointKind ModelFolder::kind() const {
  using enum weights::CheckpointKind;
  constexpr std::array<std::pair<std::string_view, weights::CheckpointKind>, 3> kinds = {{
      {"StableDiffusionXL", SDXL},
      {"StableDiffusion3", SD3},
      {"Flux", Flux},
  }};
  if (checkpoint_) return checkpoint_->kind;
  for (const auto& [begin, kind] : kinds) {
    if (class_name_.starts_with(begin)) return kind;
  }
  return StableDiffusion1;
}

std::optional<fs::path> ModelFolder::find_tokenizer(const std::string& number) const {
  const auto supplied = parts_.text_encoders.find("text_encoder" + number);
  if (supplied != parts_.text_encoders.end()) {
    const fs::path path = fs::absolute(supplied->second).lexically_normal();
    const bool is_file = !is_folder(path);
    const fs::path within = is_file || !path.has_filename() ? path.parent_path() : path;
    const std::string name = "tokenizer" + number;
    // Files of several encoders lie in one folder: what is loose there is T5's, as only that one's
    // tokenizer is not built in.
    const bool is_t5 = is_t5_of(kind(), supplied->first);
    for (const auto& place : {within, within / name, within.parent_path() / name}) {
      const bool is_loose = is_file && place == within;
      if (has_tokenizer_files(place) && (!is_loose || is_t5)) return place;
    }
  }
  if (!checkpoint_) return path_ / ("tokenizer" + number);
  const fs::path beside_configs = parts_.configs / ("tokenizer" + number);
  if (!parts_.configs.empty() && has_tokenizer_files(beside_configs)) return beside_configs;
  return std::nullopt;
}

Result<tokenizers::ClipTokenizer> ModelFolder::open_clip_tokenizer(
    const std::string& number) const {
  if (const auto dir = find_tokenizer(number)) return tokenizers::ClipTokenizer::load(*dir);
  const bool is_open_clip =
      !number.empty() || checkpoint_->kind == weights::CheckpointKind::StableDiffusion2;
  return tokenizers::ClipTokenizer::built_in(is_open_clip ? "!" : "<|endoftext|>");
}

Result<tokenizers::T5Tokenizer> ModelFolder::open_t5_tokenizer(const std::string& number) const {
  if (const auto dir = find_tokenizer(number)) return tokenizers::T5Tokenizer::load(*dir);
  return no_tokenizer(path_, "T5", number);
}

Result<tokenizers::Qwen2Tokenizer> ModelFolder::open_qwen2_tokenizer(
    const std::string& number) const {
  if (const auto dir = find_tokenizer(number)) return tokenizers::Qwen2Tokenizer::load(*dir);
  return no_tokenizer(path_, "Qwen", number);
}

Result<schedulers::SchedulerConfig> ModelFolder::scheduler_config() const {
  if (checkpoint_) return schedulers::load_scheduler_config(checkpoint_->scheduler);
  auto config = models::read_config(path_ / "scheduler" / "scheduler_config.json");
  if (!config) return config.error();
  return schedulers::load_scheduler_config(*config);
}

Result<void> ModelFolder::apply_own_defaults(ModelTraits& traits) const {
  traits.adapters = lora_names_;
  traits.weights_format = to_string(format_);
  std::error_code ec;
  if (checkpoint_ || !fs::exists(path_ / "limner.json", ec)) return {};
  auto config = models::read_config(path_ / "limner.json");
  if (!config) return config.error();
  models::ConfigReader r(*config, "limner.json");
  auto& defaults = traits.defaults;
  defaults.num_inference_steps =
      static_cast<int>(r.integer("num_inference_steps", defaults.num_inference_steps));
  defaults.guidance_scale = r.number("guidance_scale", defaults.guidance_scale);
  defaults.strength = r.number("strength", defaults.strength);
  defaults.negative_prompt = r.string("negative_prompt", defaults.negative_prompt);
  traits.paints_one_size = r.boolean("paints_one_size", false);
  if (const auto name = r.optional_string("scheduler")) {
    if (const auto kind = parse_scheduler_kind(*name)) {
      defaults.scheduler = *kind;
    } else {
      r.fail("scheduler", fmt::format("\"{}\" is not known", *name));
    }
  }
  if (defaults.num_inference_steps < 1 || defaults.num_inference_steps > traits.steps_max) {
    r.fail("num_inference_steps", fmt::format("must be between 1 and {}", traits.steps_max));
  }
  if (defaults.strength < 0 || defaults.strength > 1) r.fail("strength", "must be 0 to 1");
  return r.finish();
}

}  // namespace limner::pipelines
