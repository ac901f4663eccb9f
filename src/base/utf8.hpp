// UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limner {

// Bytes of the sequence that `text`, which is not empty, begins with; 0 when it begins with none.
std::size_t utf8_sequence_size(std::string_view text);

bool is_valid_utf8(std::string_view text);

// With U+FFFD in place of each byte that belongs to no sequence.
std::string to_valid_utf8(std::string_view text);

// Of valid text.
std::size_t count_code_points(std::string_view text);

// The longest beginning of valid text with at most `count` code points.
std::string_view first_code_points(std::string_view text, std::size_t count);

}  // namespace limner
