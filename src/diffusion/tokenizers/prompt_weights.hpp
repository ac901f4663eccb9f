// Emphasis in a prompt, as AUTOMATIC1111's web UI reads it:
//   (cat) ×1.1   [cat] ÷1.1   (cat:1.3) ×1.3   nested ones multiply   \( \) \[ \] \\ the characters
//   BREAK, a word of its own, begins a new chunk
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace limner::tokenizers {

struct WeightedText {
  std::string text;
  float weight = 1.0f;
  bool begins_chunk = false;  // stood after a BREAK

  bool operator==(const WeightedText&) const = default;
};

// At least one stretch, neighbours of one weight joined. A bracket left open reaches to the end;
// one too many is text. An error where a weight goes beyond ±100 or brackets nest deeper than 64.
Result<std::vector<WeightedText>> parse_prompt_weights(std::string_view prompt);

}  // namespace limner::tokenizers
