// --truncate-prompts: cut words off the end until the model takes the prompt.
#pragma once

#include <optional>
#include <string>

#include "api/painter.hpp"
#include "base/error.hpp"
#include "core/generation.hpp"

namespace limner::api {

bool is_prompt_too_long(const Error& error);

// The longest beginning of the request's prompt, whole words, that is not too long. Empty when
// something else is wrong. The negative prompt is the pipeline's to cut.
std::optional<std::string> longest_accepted(const GenerationRequest& request, Painter& painter);

}  // namespace limner::api
