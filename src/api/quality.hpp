// `quality`: the words that clients send, and what each is worth in steps and in tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace limner::api {

// What an answer says.
enum class Quality { Low, Medium, High, XHigh, Max };

// "low", "medium", "high", "xhigh", "max".
std::string_view to_string(Quality quality);

// The above, `auto`, and the older `standard` (medium) and `hd` (high).
std::span<const std::string_view> quality_words();
// Empty for `auto`, and for what is none of the words.
std::optional<Quality> parse_quality(std::string_view word);

// Of the model's default number of steps.
double steps_factor(Quality quality);
// The side of the squares that a picture's tokens are counted in.
std::int64_t token_side_px(Quality quality);

}  // namespace limner::api
