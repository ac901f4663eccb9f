// What the file may say about one model: the administrator's limits and defaults.
#include <array>

#include "config/parse_value.hpp"
#include "config/settings.hpp"

namespace limner::config {
namespace {

using M = ModelConfig;
using V = RawValues;

template <typename To, typename From>
Result<void> assign(std::optional<To>& to, const Result<From>& from) {
  if (!from) return from.error();
  to = static_cast<To>(*from);
  return {};
}

Result<void> assign_path(std::filesystem::path& to, const V& v) {
  to = v.front().text;
  return {};
}

Result<void> apply_allowed_resolutions(M& m, const V& v) {
  for (const auto& raw : v) {
    const auto size = parse_size(raw);
    if (!size) return size.error();
    m.policy.allowed_resolutions.push_back(*size);
  }
  return {};
}

constexpr std::array kModelSettings = {
    ModelSetting{"path", "DIR", "The model's folder, or its safetensors checkpoint",
                 [](M& m, const V& v) { return assign_path(m.path, v); }},
    ModelSetting{"vae", "PATH", "Its autoencoder, where that lies elsewhere: a folder or a file",
                 [](M& m, const V& v) { return assign_path(m.extras.vae, v); }},
    ModelSetting{
        "text_encoder", "PATH", "Its text encoder, where that lies elsewhere: a folder or a file",
        [](M& m, const V& v) { return assign_path(m.extras.text_encoders["text_encoder"], v); }},
    ModelSetting{
        "text_encoder_2", "PATH", "Its second text encoder",
        [](M& m, const V& v) { return assign_path(m.extras.text_encoders["text_encoder_2"], v); }},
    ModelSetting{
        "text_encoder_3", "PATH", "Its third text encoder",
        [](M& m, const V& v) { return assign_path(m.extras.text_encoders["text_encoder_3"], v); }},
    ModelSetting{"configs", "DIR", "Diffusers folder with the configs of a checkpoint",
                 [](M& m, const V& v) { return assign_path(m.extras.configs, v); }},
    ModelSetting{"lora_dir", "DIR", "LoRA files that requests may name",
                 [](M& m, const V& v) { return assign_path(m.extras.lora_dir, v); }},
    ModelSetting{
        "max_resolution", "WxH", "Largest width and height that may be asked for",
        [](M& m, const V& v) { return assign(m.policy.max_resolution, parse_size(v[0])); }},
    ModelSetting{"allowed_resolutions", "[WxH, …]", "The only sizes that may be asked for",
                 apply_allowed_resolutions},
    ModelSetting{
        "default_resolution", "WxH", "Size when none is asked for",
        [](M& m, const V& v) { return assign(m.policy.default_resolution, parse_size(v[0])); }},
    ModelSetting{"max_images", "N", "Most pictures of one request",
                 [](M& m, const V& v) {
                   return assign(m.policy.max_images,
                                 parse_int(v[0], 1, Limits{}.images_per_request_max));
                 }},
    ModelSetting{"default_steps", "N", "Steps when none are asked for",
                 [](M& m, const V& v) {
                   return assign(m.policy.default_steps, parse_int(v[0], 1, Limits{}.steps_max));
                 }},
    ModelSetting{"max_steps", "N", "Most steps of one request",
                 [](M& m, const V& v) {
                   return assign(m.policy.max_steps, parse_int(v[0], 1, Limits{}.steps_max));
                 }},
    ModelSetting{"guidance_scale", "X", "Guidance when none is asked for",
                 [](M& m, const V& v) {
                   return assign(m.policy.guidance_scale, parse_number(v[0], 0, 100));
                 }},
    ModelSetting{
        "strength", "X", "Strength when none is asked for",
        [](M& m, const V& v) { return assign(m.policy.strength, parse_number(v[0], 0, 1)); }},
    ModelSetting{
        "scheduler", "NAME", "Denoising rule when none is asked for",
        [](M& m, const V& v) { return assign(m.policy.scheduler, parse_scheduler(v[0])); }},
    ModelSetting{"negative_prompt", "TEXT", "Negative prompt when none is given",
                 [](M& m, const V& v) -> Result<void> {
                   m.policy.negative_prompt = v[0].text;
                   return {};
                 }},
};

}  // namespace

std::span<const ModelSetting> model_settings() {
  return kModelSettings;
}

}  // namespace limner::config
