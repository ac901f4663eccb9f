// UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limner {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

struct CodePoint {
  char32_t value = kReplacementCharacter;
  std::size_t size_bytes = 1;
  bool is_valid = false;
};

// What `text`, which is not empty, begins with. A broken sequence counts up to the byte that could
// not follow, as decoders of the web do: one replacement character for each.
CodePoint decode_code_point(std::string_view text);

// `code_point` is neither a surrogate nor above U+10FFFF.
void append_utf8(char32_t code_point, std::string& out);

bool is_valid_utf8(std::string_view text);

// With U+FFFD in place of each broken sequence.
std::string to_valid_utf8(std::string_view text);

// Of valid text.
std::size_t count_code_points(std::string_view text);

// The longest beginning of valid text with at most `count` code points.
std::string_view first_code_points(std::string_view text, std::size_t count);

}  // namespace limner
