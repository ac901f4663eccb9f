// UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace limner {

bool is_valid_utf8(std::string_view text);

// Of valid text.
std::size_t count_code_points(std::string_view text);

// The longest beginning of valid text with at most `count` code points.
std::string_view first_code_points(std::string_view text, std::size_t count);

}  // namespace limner
