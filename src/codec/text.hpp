// The text encodings that image metadata comes in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/byte_reader.hpp"

namespace limner::codec {

// Broken sequences and lone surrogates become U+FFFD; a final NUL ends the text.
std::string utf16_to_utf8(Bytes bytes, ByteOrder order);
void append_utf16_be(std::string_view utf8, std::vector<std::uint8_t>& out);

std::string latin1_to_utf8(std::string_view latin1);
bool is_ascii(std::string_view text);
// Itself when it is UTF-8, otherwise read as Latin-1.
std::string to_valid_utf8(std::string text);

}  // namespace limner::codec
