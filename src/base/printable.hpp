// Text of strangers, made fit for a log line or a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limner {

// At most `bytes_max` bytes of `text` and "…" when that was not all. What is not UTF-8 and what
// steers terminals (control characters) is written as \x1b.
std::string printable(std::string_view text, std::size_t bytes_max);

}  // namespace limner
