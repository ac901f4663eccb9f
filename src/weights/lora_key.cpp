#include "weights/lora_key.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "weights/checkpoint_names.hpp"
#include "weights/lora_names.hpp"

namespace limner::weights {
namespace {

struct Suffix {
  std::string_view text;
  LoraPart part;
};

// kohya; PEFT, with and without the adapter's name; diffusers' attention processors; diffusers'
// text encoders. DoRA's magnitudes as LyCORIS and as PEFT name them.
constexpr std::array<Suffix, 18> kSuffixes = {{
    {".lora_down.weight", LoraPart::Down},
    {".lora_up.weight", LoraPart::Up},
    {".lora_A.weight", LoraPart::Down},
    {".lora_B.weight", LoraPart::Up},
    {".lora_A.default.weight", LoraPart::Down},
    {".lora_B.default.weight", LoraPart::Up},
    {"_lora.down.weight", LoraPart::Down},
    {"_lora.up.weight", LoraPart::Up},
    {".lora.down.weight", LoraPart::Down},
    {".lora.up.weight", LoraPart::Up},
    {".lora_linear_layer.down.weight", LoraPart::Down},
    {".lora_linear_layer.up.weight", LoraPart::Up},
    {".alpha", LoraPart::Alpha},
    {".dora_scale", LoraPart::Magnitude},
    {".lora_magnitude_vector", LoraPart::RowMagnitude},
    {".lora_magnitude_vector.weight", LoraPart::RowMagnitude},
    {".lora_magnitude_vector.default", LoraPart::RowMagnitude},
    {".lora_magnitude_vector.default.weight", LoraPart::RowMagnitude},
}};

struct Prefix {
  std::string_view text;
  std::string_view component;
};

// kohya, LyCORIS, ComfyUI, PEFT, the original checkpoints, diffusers.
constexpr std::array<Prefix, 21> kPrefixes = {{
    {"lora_unet_", ""},
    {"lora_transformer_", ""},
    {"lora_te1_", "text_encoder"},
    {"lora_te2_", "text_encoder_2"},
    {"lora_te3_", "text_encoder_3"},
    {"lora_te_", "text_encoder"},
    {"lycoris_", ""},
    {"text_encoders.clip_l.transformer.", "text_encoder"},
    {"text_encoders.clip_g.transformer.", "text_encoder_2"},
    {"text_encoders.t5xxl.transformer.", "text_encoder_3"},
    {"clip_l.transformer.", "text_encoder"},
    {"clip_g.transformer.", "text_encoder_2"},
    {"t5xxl.transformer.", "text_encoder_3"},
    {"base_model.model.", ""},
    {"model.diffusion_model.", ""},
    {"diffusion_model.", ""},
    {"unet.", ""},
    {"transformer.", ""},
    {"text_encoder.", "text_encoder"},
    {"text_encoder_2.", "text_encoder_2"},
    {"text_encoder_3.", "text_encoder_3"},
}};

void replace(std::string& text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != text.npos) text.replace(at, from.size(), to);
}

}  // namespace

std::optional<LoraKey> parse_lora_key(std::string_view name) {
  const auto suffix = std::ranges::find_if(
      kSuffixes, [&](const Suffix& candidate) { return name.ends_with(candidate.text); });
  if (suffix == kSuffixes.end()) return std::nullopt;
  name.remove_suffix(suffix->text.size());
  LoraKey key{.component = "", .module = "", .part = suffix->part};
  for (const auto& prefix : kPrefixes) {
    if (take_prefix(name, prefix.text)) {
      key.component = prefix.component;
      break;
    }
  }
  // PEFT's own files do not say which network they are of.
  if (key.component.empty() && name.starts_with("text_model.")) key.component = "text_encoder";
  key.module = name;
  // attn1.processor.to_out_lora stands for attn1.to_out.0.
  const bool is_processor = key.module.find(".processor.") != key.module.npos;
  replace(key.module, ".processor.", ".");
  if (is_processor && key.module.ends_with("to_out")) key.module += ".0";
  key.module = with_underscores(key.module);
  return key;
}

std::optional<std::string_view> unsupported_lora_method(std::string_view name) {
  // By the last word but "weight" and the like, so that no module's name is taken for a method. A
  // mark that ends in "_" begins the word, others are the whole of it.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 19> methods = {{
      {"hada_", "LoHa"},
      {"lokr_", "LoKr"},
      {"lora_mid", "LoCon with a middle matrix"},
      {"oft_", "OFT"},
      {"boft_", "BOFT"},
      {"diff", "a whole difference"},
      {"diff_b", "a whole difference"},
      {"w_norm", "a norm's difference"},
      {"b_norm", "a norm's difference"},
      {"set_weight", "a whole weight"},
      {"a1", "GLoRA"},
      {"a2", "GLoRA"},
      {"b1", "GLoRA"},
      {"b2", "GLoRA"},
      {"lora_E", "AdaLoRA"},
      {"lora_embedding_", "an embedding's LoRA"},
      {"on_input", "IA3"},
      {"ia3_", "IA3"},
      {"vera_lambda_", "VeRA"},
  }};
  constexpr std::array<std::string_view, 2> tails = {".weight", ".default"};
  constexpr std::array<std::string_view, 2> biases = {".lora_A.bias", ".lora_B.bias"};
  for (const auto bias : biases) {
    if (name.ends_with(bias)) return "a LoRA with biases";
  }
  for (const auto tail : tails) {
    if (name.ends_with(tail)) name.remove_suffix(tail.size());
  }
  const std::string_view word = name.substr(name.rfind('.') + 1);
  for (const auto& [mark, method] : methods) {
    if (mark.ends_with('_') ? word.starts_with(mark) : word == mark) return method;
  }
  return std::nullopt;
}

}  // namespace limner::weights
