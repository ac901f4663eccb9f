// The little of Unicode that tokenizers need, over utf8proc, with the differences to the tables of
// the reference (Rust `tokenizers` 0.22) evened out in unicode_delta.hpp.
#pragma once

#include <string>
#include <string_view>

#include "base/utf8.hpp"

namespace limner::tokenizers {

// Malformed bytes become U+FFFD, one for each maximal part of a sequence that went wrong.
std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view text);

// Normalisation form C. In time n log n, whatever the order of the combining marks.
std::u32string to_nfc(std::u32string_view text);

std::u32string to_lower(std::u32string_view text);

bool is_letter(char32_t c);       // \p{L}
bool is_number(char32_t c);       // \p{N}
bool is_white_space(char32_t c);  // \s
bool is_word(char32_t c);         // \w: letters, marks, decimal digits, connectors

// Where the extended grapheme cluster that begins at `start` ends.
std::size_t grapheme_end(std::u32string_view text, std::size_t start);

}  // namespace limner::tokenizers
