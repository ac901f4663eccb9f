// One tensor's name in a LoRA file, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limner::weights {

enum class LoraPart : std::uint8_t {
  Down,
  Up,
  Alpha,
  Magnitude,     // DoRA, of the rows or of the columns: its shape tells
  RowMagnitude,  // DoRA as PEFT names it: of the rows, whatever its shape
};

struct LoraKey {
  // "" for the denoiser, "text_encoder", "text_encoder_2", "text_encoder_3".
  std::string component;
  std::string module;  // with underscores
  LoraPart part = LoraPart::Down;
};

// Empty where the name is none that a LoRA has.
std::optional<LoraKey> parse_lora_key(std::string_view name);

// For tensors of methods beyond LoRA (LoHa, LoKr, OFT, whole differences, …): what they are. Empty
// for all else.
std::optional<std::string_view> unsupported_lora_method(std::string_view name);

}  // namespace limner::weights
