// A prompt that is longer than its model reads at once, made to fit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/painter.hpp"
#include "core/generation.hpp"

namespace limner::api {

struct FitOptions {
  int chunks_max = 1;       // that it may be read in, where the model can
  bool reads_tags = false;  // `<lora:…>` is no text, and is kept wherever it stands
};

struct FittedPrompt {
  std::optional<std::string> revised;  // what is left of it, where words were cut
  std::vector<std::string> notes;
};

// Leaves alone what fits. Else in chunks; where those do not suffice either, whole words are cut
// off the end. Other texts than the prompt, and one endless word, are the pipeline's to cut, which
// notes it.
FittedPrompt fit_prompt(GenerationRequest& request, const FitOptions& options, Painter& painter);

// The error of a prompt that does not fit, with the way out.
Result<void> refuse_long_prompt(const GenerationRequest& request, Painter& painter);

}  // namespace limner::api
