// Small readings of text that several layers need. ASCII, whatever the locale.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace limner {

// Without what stands before and after it.
std::string_view trim(std::string_view text, std::string_view blanks = " \t");

char ascii_lower(char c);
std::string ascii_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view start);

// UTF-8's byte order mark, which some editors and shells put in front of a text, taken off.
std::string_view without_byte_order_mark(std::string_view text);

// The whole text as a number of that type: no blanks, no '+', nothing after it. Empty text is none.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (text.empty() || status != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace limner
