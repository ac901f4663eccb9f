// The word somebody probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace limner::config {

// The candidate with the fewest edits, if few enough to be a slip; else empty.
std::string nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace limner::config
